// The executor's end of the pipe to its broker, for programs that stand in for dist/executor.js.
import { Socket } from 'node:net';

const pipe = new Socket({ fd: 5, readable: true, writable: true });
pipe.on('error', () => {});
pipe.on('close', () => process.exit(1));
pipe.setEncoding('utf8').on('data', (text) => {
  if (text.includes('"stop"')) process.exit(0);
});

/** Says something to the broker. */
export function tell(message, done) {
  pipe.write(`${JSON.stringify(message)}\n`, done);
}
