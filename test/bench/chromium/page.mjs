// In a page of Chromium: what a call costs the page, through its own WebGPU and through a guest, sending included.
import { connect } from '@vesper-gpu/guest';
import { openWebSocket } from '@vesper-gpu/transport/websocket';
import { openWebSocketInWorker } from '@vesper-gpu/transport/websocket-in-worker';
import { report } from '../../browser/pages/report.mjs';
import { BareEncoder, bareLoops } from '../bare-encoder.mjs';
import { race } from '../measure.mjs';
import * as chromiumCode from '../scene.mjs?chromium';
import * as socketCode from '../scene.mjs?socket';
import * as workerCode from '../scene.mjs?worker';

/** @import { GuestConnection } from '@vesper-gpu/guest' */
/** @import { Contender, Effort } from '../measure.mjs' */

/**
 * What `main.mjs` asks for, in the address of the page.
 *
 * @typedef {object} Task
 * @property {Record<'socket' | 'worker', string>} urls of the lines to the host
 * @property {Pick<Effort, 'rounds' | 'warmUpMs'>} effort
 */

/**
 * Nanoseconds of a call: with a WebSocket in the page, with one in a worker, by Chromium itself, by stores alone.
 *
 * @typedef {{ socket: number, worker: number, chromium: number, bare?: number }} Call
 */

/**
 * @typedef {object} Figures
 * @property {Record<string, Call>} calls
 * @property {{ vesper: string, chromium: string }} adapters
 * @property {string} userAgent
 */

/** @typedef {{ code: typeof chromiumCode, scene: chromiumCode.Scene, idle: () => Promise<unknown> }} Side */

await report(measure);

/** @returns {Promise<Figures>} */
async function measure() {
  if (!crossOriginIsolated) throw new Error('the page is not isolated, and its clock too coarse');
  /** @type {Task} */
  const { urls, effort } = JSON.parse(decodeURIComponent(location.hash.slice(1)));
  if (navigator.gpu === undefined) throw new Error('this Chromium has no WebGPU');
  const chromium = await openSide(chromiumCode, navigator.gpu);
  const thread = new Worker('/worker.js', { type: 'module' });
  const connections = {
    socket: await connect(await openWebSocket(urls.socket)),
    worker: await connect(await openWebSocketInWorker(thread, urls.worker)),
  };
  const socket = await openSide(socketCode, connections.socket.gpu);
  const worker = await openSide(workerCode, connections.worker.gpu);
  for (const { code, scene } of [chromium, socket, worker]) {
    await checkResults(code, scene);
    await scene.assertNoError();
  }
  // From here on the host hears nothing: with what it has to do for a burst, a run would take hours.
  socket.idle = await cutLine('socket', connections.socket);
  worker.idle = await cutLine('worker', connections.worker);
  /** @type {Record<string, Call>} */
  const calls = {};
  const all = { socket: contenders(socket), worker: contenders(worker), chromium: contenders(chromium) };
  for (const name of Object.keys(all.chromium)) {
    const bare = bareLoops[name];
    const encoder = new BareEncoder();
    calls[name] = await race(
      {
        socket: all.socket[name],
        worker: all.worker[name],
        chromium: all.chromium[name],
        ...(bare && { bare: { run: (/** @type {number} */ count) => bare(encoder, count) } }),
      },
      effort,
    );
  }
  await chromium.scene.assertNoError();
  const adapters = { vesper: nameOf(worker.scene.adapter), chromium: nameOf(chromium.scene.adapter) };
  return { calls, adapters, userAgent: navigator.userAgent };
}

/**
 * @param {typeof chromiumCode} code
 * @param {GPU} gpu
 * @returns {Promise<Side>}
 */
async function openSide(code, gpu) {
  const scene = await code.makeScene(gpu);
  return {
    code,
    scene,
    idle() {
      scene.queue.submit([]);
      return scene.queue.onSubmittedWorkDone();
    },
  };
}

/**
 * @param {keyof Task['urls']} name
 * @param {GuestConnection} connection of which all has arrived that was sent
 * @returns {Promise<() => Promise<void>>} waits until all has arrived at the end of the line
 */
async function cutLine(name, { statistics }) {
  const ask = async (/** @type {string} */ question) => (await fetch(`/${name}/${question}`)).json();
  const helloBytes = (await ask('cut')) - statistics.sentBytes;
  return async () => {
    while ((await ask('received')) < statistics.sentBytes + helloBytes);
  };
}

/** @param {GPUAdapter} adapter */
function nameOf({ info }) {
  return [info.vendor, info.architecture, info.description].filter((part) => part !== '').join(' ');
}

/**
 * What goes up has to come back: else something else is measured than is meant.
 *
 * @param {Side['code']} code
 * @param {Side['scene']} scene
 */
async function checkResults(code, scene) {
  const data = crypto.getRandomValues(new Uint8Array(4096));
  const buffer = code.makeMappable(scene, data.byteLength);
  await code.upload(scene, buffer, data);
  const readBack = await code.readBack(buffer);
  const isSame = data.every((byte, i) => byte === readBack[i]);
  buffer.destroy();
  if (!isSame) throw new Error('a readback gave other bytes than were uploaded');
}

/**
 * Bursts of each call. Behind each burst, all that it has caused elsewhere is waited for.
 *
 * @param {Side} side
 * @returns {Record<string, Contender>}
 */
function contenders(side) {
  const { code, scene } = side;
  /** @type {Record<string, Contender>} */
  const all = {};
  for (const [name, loop] of Object.entries(code.renderLoops)) all[name] = passContender(side, code.beginPass, loop);
  all.dispatchWorkgroups = passContender(side, code.beginComputePass, (pass, _, count) =>
    code.dispatchLoop(pass, count),
  );
  for (const [name, loop] of Object.entries(code.deviceLoops)) {
    /** @type {{ destroy?(): void }[]} */
    let made = [];
    all[name] = {
      run: (count) => loop(scene, count, made),
      async after() {
        for (const object of made) object.destroy?.();
        made = [];
        await side.idle();
      },
    };
  }
  return all;
}

/**
 * Bursts in a pass of their own, which is opened before and finished behind them.
 *
 * @template Pass
 * @param {Side} side
 * @param {(scene: Side['scene']) => { pass: Pass, finish(): GPUCommandBuffer }} begin
 * @param {(pass: Pass, scene: Side['scene'], count: number) => void} loop
 * @returns {Contender}
 */
function passContender(side, begin, loop) {
  const { scene } = side;
  /** @type {ReturnType<typeof begin>} */
  let open;
  return {
    before: () => void (open = begin(scene)),
    run: (count) => loop(open.pass, scene, count),
    after() {
      open.finish();
      return side.idle();
    },
  };
}
