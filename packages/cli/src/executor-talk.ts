/** The executor's end of the pipe to its broker. */
import { Socket } from 'node:net';
import { readTalk, talkLine, TALK_DESCRIPTOR } from './broker/talk.ts';
import type { BrokerMessage, ExecutorMessage } from './broker/messages.ts';

/** What an executor hears and says. */
export interface Talk {
  /** @param done called once the broker's end has it */
  tell(message: ExecutorMessage, done?: () => void): void;
}

/**
 * Opens the pipe.
 * @param hear called for what the broker says
 * @param ended called when the broker is gone
 */
export function openTalk(hear: (message: BrokerMessage) => void, ended: () => void): Talk {
  const pipe = new Socket({ fd: TALK_DESCRIPTOR, readable: true, writable: true });
  let partial = '';
  pipe.setEncoding('utf8').on('data', (text: string) => {
    const lines = (partial + text).split('\n');
    partial = lines.pop() ?? '';
    for (const line of lines) hear(readTalk(line) as BrokerMessage);
  });
  pipe.on('error', () => {});
  pipe.on('close', ended);
  return {
    tell: (message, done) => void pipe.write(talkLine(message), () => done?.()),
  };
}
