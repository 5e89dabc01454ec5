// Writes pixels as a PNG file.
import { writeFile } from 'node:fs/promises';
import { encode } from 'fast-png';

/**
 * @param {string} path
 * @param {{ width: number, height: number, data: Uint8Array }} picture rgba, 8 bits a channel, rows without padding
 */
export async function writePng(path, { width, height, data }) {
  // The picture is opaque: dropping alpha makes the file a quarter smaller.
  const rgb = new Uint8Array(width * height * 3);
  for (let from = 0, to = 0; to < rgb.length; from += 4, to += 3) {
    rgb[to] = data[from];
    rgb[to + 1] = data[from + 1];
    rgb[to + 2] = data[from + 2];
  }
  await writeFile(path, encode({ width, height, data: rgb, channels: 3, depth: 8 }));
}
