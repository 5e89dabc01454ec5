// The command line of the guest program.
import { parseArgs } from 'node:util';

const USAGE = `usage: guest.mjs [--out DIR] [--frames N]
  --out DIR    the folder for the pictures (default: out)
  --frames N   how many frames of the animation's loop to draw, 1 to 9999 (default: 1)`;

/**
 * @param {string[]} args
 * @returns {{ out: string, frames: number }}
 * @throws {Error} what is wrong with the arguments, and how to call the program
 */
export function parseOptions(args) {
  try {
    const { values } = parseArgs({
      args,
      options: { out: { type: 'string', default: 'out' }, frames: { type: 'string', default: '1' } },
    });
    return { out: values.out, frames: frameCount(values.frames) };
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`, { cause: error });
  }
}

/** @param {string} text */
function frameCount(text) {
  const frames = Number(text);
  if (!Number.isInteger(frames) || frames < 1 || frames > 9999) {
    throw new RangeError(`--frames must be a whole number from 1 to 9999, not "${text}"`);
  }
  return frames;
}
