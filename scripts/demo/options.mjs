// The command line of the guest program.
import { parseArgs } from 'node:util';

export const USAGE = `usage: guest.mjs [--out DIR] [--frames N]
  --out DIR    the folder for the pictures (default: out)
  --frames N   how many frames of the animation's loop to draw, 1 to 9999 (default: 1)`;

/**
 * @param {string[]} args
 * @returns {{ out: string, frames: number }}
 * @throws {TypeError} what is wrong with the arguments
 */
export function parseOptions(args) {
  const { values } = parseArgs({
    args,
    options: { out: { type: 'string', default: 'out' }, frames: { type: 'string', default: '1' } },
  });
  const frames = Number(values.frames);
  if (!Number.isInteger(frames) || frames < 1 || frames > 9999) {
    throw new TypeError(`--frames must be a whole number from 1 to 9999, not "${values.frames}"`);
  }
  return { out: values.out, frames };
}
