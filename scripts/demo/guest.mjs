#!/usr/bin/env node
// The program that `npm start` runs in the guest. It is plain WebGPU: it knows nothing of Vesper and works on whatever
// `navigator.gpu` it finds. It multiplies matrices, draws the evening star, checks both, and prints one line of JSON.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { watchFailures } from './failures.mjs';
import { matmul } from './matmul.mjs';
import { parseOptions } from './options.mjs';
import { writePng } from './png.mjs';
import { LOOP_SECONDS } from './scene/camera.mjs';
import { checkPicture } from './scene/checks.mjs';
import { Scene } from './scene/scene.mjs';

/** @typedef {(line: string) => void} Progress */

/**
 * @typedef {object} Summary
 * @property {{ vendor: string, architecture: string, device: string, description: string }} adapter
 * @property {import("./matmul.mjs").MatmulResult} matmul
 * @property {{ file: string, milliseconds: number }[]} frames milliseconds from the first call to the pixels' arrival
 * @property {{ width: number, height: number, checks: (import("./scene/checks.mjs").Check & { file: string })[] }} picture
 */

/**
 * @param {{ out: string, frames: number, progress: Progress }} options
 * @returns {Promise<Summary>}
 */
async function run({ out, frames, progress }) {
  // Runtimes without WebGPU may lack `navigator` altogether.
  const gpu = globalThis.navigator?.gpu;
  const adapter = await gpu?.requestAdapter();
  if (!adapter) throw new Error(gpu ? 'WebGPU found no adapter' : 'this runtime has no navigator.gpu');
  progress(`adapter ${adapter.info.description || adapter.info.device || adapter.info.vendor}`);
  const device = await adapter.requestDevice();
  const { guard, close } = watchFailures(device);

  const size = 512;
  progress(`matmul ${size}×${size} …`);
  const product = await guard(matmul(device, { size }));
  const { maxError, milliseconds } = product;
  progress(`matmul ${size}×${size} ${Math.round(milliseconds)} ms, largest error ${maxError.toExponential(1)}`);

  const drawn = await guard(drawFrames(device, { out, frames, progress, guard }));
  close();
  device.destroy();
  // Read at the end: Dawn for Node crashes when the adapter is collected while its device works.
  const { vendor, architecture, device: model, description } = adapter.info;
  return { adapter: { vendor, architecture, device: model, description }, matmul: product, ...drawn };
}

/**
 * @param {GPUDevice} device
 * @param {{ out: string, frames: number, progress: Progress, guard: <T>(work: Promise<T>) => Promise<T> }} options
 * @returns {Promise<Pick<Summary, "frames" | "picture">>}
 */
async function drawFrames(device, { out, frames, progress, guard }) {
  await mkdir(out, { recursive: true });
  const scene = await guard(Scene.create(device, { progress: (step) => progress(`scene: ${step} …`) }));
  const { width, height } = scene;
  /** @type {Summary["frames"]} */
  const files = [];
  /** @type {Summary["picture"]["checks"]} */
  const checks = [];
  for (let frame = 0; frame < frames; frame++) {
    // The frames are spread over the whole loop, so that the last one leads back to the first.
    const time = (frame / frames) * LOOP_SECONDS;
    progress(`frame ${frame + 1}/${frames} …`);
    const start = performance.now();
    const data = await guard(scene.render(time));
    const milliseconds = performance.now() - start;
    const file = join(out, `frame-${String(frame + 1).padStart(4, '0')}.png`);
    await writePng(file, { width, height, data });
    files.push({ file, milliseconds });
    checks.push(...checkPicture({ width, height, data }, time).map((check) => ({ file, ...check })));
    progress(`frame ${frame + 1}/${frames} ${Math.round(milliseconds)} ms, ${file}`);
  }
  scene.destroy();
  return { frames: files, picture: { width, height, checks } };
}

/**
 * @param {Summary} summary
 * @returns {string[]} what is wrong, in words
 */
function faults({ matmul: product, picture }) {
  const wrong = picture.checks
    .filter(({ ok }) => !ok)
    .map(({ file, name, value, expected }) => `${file}: ${name}: ${value}, expected ${expected}`);
  if (!product.ok) wrong.unshift(`matmul: largest error ${product.maxError}, expected below ${product.tolerance}`);
  return wrong;
}

async function main() {
  const options = parseOptions(process.argv.slice(2));
  const summary = await run({ ...options, progress: (line) => process.stderr.write(`${line}\n`) });
  process.stdout.write(`${JSON.stringify(summary)}\n`);
  for (const fault of faults(summary)) {
    process.stderr.write(`${fault}\n`);
    process.exitCode = 1;
  }
}

try {
  await main();
} catch (error) {
  process.stderr.write(`guest: ${error instanceof Error ? error.message : String(error)}\n`);
  // Work that the failure interrupted may still be under way: do not wait for it.
  process.exit(1);
}
