// What the loop over records asks of each command, as one number: it is looked at before each is executed.
import { commandInfo } from '@vesper-gpu/protocol/host';

/** It takes memory of the GPU. */
export const MEMORY = 1;
/** It may take the backend more than a moment. */
export const SLOW = 2;
/** It does something to the state of its encoder. */
export const STATE = 4;
/** It ends its encoder. */
export const ENDS = 8;
/** It sets a part of that. */
export const SETS = 16;
/** By opcode, what of that a command is. */
export const traits = Uint8Array.from(commandInfo, (info) => {
  if (info === undefined) return 0;
  const isSlow = info.cost !== 'constant' && info.group !== 'debug' && info.target === 'object';
  const hasState = info.state !== undefined && info.state !== 'keeps';
  return (
    (info.cost === 'memory' ? MEMORY : 0) |
    (isSlow ? SLOW : 0) |
    (hasState ? STATE : 0) |
    (info.state === 'ends' ? ENDS : 0) |
    (info.state === 'sets' || info.state === 'sets by key' ? SETS : 0)
  );
});
