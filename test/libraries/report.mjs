// What every program here prints: one line of JSON, small enough to read and enough to say where two runs differ.
import { createHash } from 'node:crypto';

/** The SHA-256 of the bytes of a typed array. */
export function sha256(array) {
  const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
  return createHash('sha256').update(bytes).digest('hex');
}

/** Numbers of any typed array: a hash of all of them, and a few to look at. */
export function numbers(array, shown = 8) {
  const step = Math.max(1, Math.floor(array.length / shown));
  const sample = Array.from(array).filter((_, index) => index % step === 0);
  return { length: array.length, sha256: sha256(array), sample };
}

/** Pixels (four components each, rows without padding): a hash, and a grid of cell means that locates a difference. */
export function pixels(data, width, height, cells = 8) {
  if (data.length !== width * height * 4) throw new Error(`${data.length} components for ${width} x ${height} pixels`);
  const grid = [];
  for (let row = 0; row < cells; row++) {
    const line = [];
    for (let column = 0; column < cells; column++) {
      const sums = [0, 0, 0];
      let count = 0;
      for (let y = Math.floor((row * height) / cells); y < Math.floor(((row + 1) * height) / cells); y++) {
        for (let x = Math.floor((column * width) / cells); x < Math.floor(((column + 1) * width) / cells); x++) {
          for (let c = 0; c < 3; c++) sums[c] += data[(y * width + x) * 4 + c];
          count++;
        }
      }
      line.push(sums.map((sum) => Math.round(sum / count).toString()).join(','));
    }
    grid.push(line.join(' '));
  }
  return { width, height, sha256: sha256(data), grid };
}

/** Prints the result and ends the process: a library may hold timers that keep it alive. */
export function report(result) {
  process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));
}

/** A small seeded generator (mulberry32): numbers in 0..1, the same in every run. */
export function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
