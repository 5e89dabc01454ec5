import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { markAsUntransferable } from 'node:worker_threads';
import { connect } from '@vesper-gpu/guest';
import { openTransport } from '@vesper-gpu/transport';

/**
 * `node --import @vesper-gpu/register PROGRAM`: before the program starts, connects to the host that VESPER_ADDRESS names
 * (unix:PATH, shm:PATH, tcp:HOST:PORT, dev:PATH), with the capability in VESPER_CAPABILITY if there is one, and puts `navigator.gpu` and the GPU* classes on the global object.
 */
const address = process.env['VESPER_ADDRESS'];
if (address === undefined || address === '') {
  fail(
    'VESPER_ADDRESS is not set; name a host there, as unix:PATH, shm:PATH, tcp:HOST:PORT or dev:PATH, or start the program with `vesper run -- COMMAND`',
  );
}

setFlagsFromString('--expose-gc');
// Out of a context of its own, so that the program does not find a global that it does not expect.
const collectGarbage = runInNewContext('gc') as () => void;
setFlagsFromString('--no-expose-gc');

const capability = process.env['VESPER_CAPABILITY'];
// A secret of this process alone: its own children are to be given theirs.
delete process.env['VESPER_CAPABILITY'];

const { gpu, globals } = await openTransport(address)
  .then((transport) =>
    connect(transport, {
      markAsUntransferable,
      collectGarbage,
      ...(capability === undefined ? {} : { capability }),
    }),
  )
  .catch((error: unknown) => {
    const { message } = error as Error;
    return fail(message.includes(address) ? message : `${address}: ${message}`);
  });

for (const [name, value] of Object.entries(globals)) {
  Object.defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false });
}
// Node 20 has no navigator; programs also read its userAgent.
const scope = globalThis as { navigator?: object };
if (scope.navigator === undefined) {
  const navigator = { userAgent: `Node.js/${process.versions.node.split('.')[0]!}` };
  Object.defineProperty(globalThis, 'navigator', {
    value: navigator,
    writable: true,
    configurable: true,
    enumerable: true,
  });
}
Object.defineProperty(scope.navigator, 'gpu', { value: gpu, configurable: true, enumerable: true });

/** A program without its GPU is of no use: it ends here, with one line that says why. */
function fail(message: string): never {
  // oxlint-disable-next-line no-console -- a program's start-up
  console.error(`vesper: ${message}`);
  process.exit(1);
}
