// A thread of device-pump.mjs: copies what the device gives to the other process. Reading blocks, and a virtio port gives 4 KiB
// at a time: a thread that does nothing else takes half the time that Node's thread pool takes for it.
// @ts-check
import { readSync, writeSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';

import { Agreement } from './agreement.mjs';
import { NONCE_BYTES } from './port-marks.mjs';

/**
 * @typedef {object} Work
 * @property {number} device descriptor
 * @property {number} output descriptor of the socket to the other process
 * @property {number} connectTimeoutMs how long the end of the device's data may mean "not yet"
 * @property {SharedArrayBuffer | undefined} agreement on what the host says first in a session that begins; absent: there is
 *   nothing to begin
 */
/**
 * What this thread says: the other side of the device is `away`, and the session has not begun; it has `begun`; the device
 * has `ended`; or what went wrong.
 * @typedef {'away' | 'begun' | 'ended' | { error: string }} Word
 */

const CHUNK_BYTES = 64 << 10;
const MAX_BACK_OFF_MS = 250;
const MAX_RETRY_MS = 16;

const { device, output, connectTimeoutMs, agreement: memory } = /** @type {Work} */ (workerData);
const agreement = memory && new Agreement(memory);
const nothing = new Int32Array(new SharedArrayBuffer(4));

/** @param {Word} word */
function say(word) {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- no window's
  parentPort?.postMessage(word);
}

/** @param {number} milliseconds */
function sleep(milliseconds) {
  Atomics.wait(nothing, 0, 0, milliseconds);
}

/** What comes of an attempt; undefined when it has to be made again later. @template T @param {() => T} attempt */
function unlessBusy(attempt) {
  try {
    return attempt();
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code !== 'EAGAIN' && code !== 'EINTR') throw error;
    return undefined;
  }
}

/** @param {Uint8Array} bytes @returns {boolean} whether there was somebody to take them */
function pass(bytes) {
  let backOff = 1;
  for (let offset = 0; offset < bytes.byteLength;) {
    let written;
    try {
      written = unlessBusy(() => writeSync(output, bytes, offset));
    } catch {
      return false;
    }
    if (written === undefined) sleep(backOff);
    backOff = written === undefined ? Math.min(backOff * 2, MAX_RETRY_MS) : 1;
    offset += written ?? 0;
  }
  return true;
}

/** What came last before the host's answer, as far as an answer may have begun there. */
let tail = Buffer.alloc(0);

/** @param {Buffer} chunk @param {Agreement} agreement @returns {Buffer | undefined} what came behind the answer */
function behindAnswer(chunk, agreement) {
  const all = Buffer.concat([tail, chunk]);
  const { nonce } = agreement;
  const at = all.indexOf(nonce);
  tail = all.subarray(-(NONCE_BYTES - 1));
  return at !== -1 && agreement.begin(nonce) ? all.subarray(at + NONCE_BYTES) : undefined;
}

/** @returns {Word | undefined} the last word; undefined when the other process is gone, which the main thread sees itself */
function pump() {
  const buffer = Buffer.alloc(CHUNK_BYTES);
  const giveUpAt = performance.now() + connectTimeoutMs;
  let isBegun = agreement === undefined;
  let isConnected = false;
  let backOff = 1;
  for (;;) {
    const filled = unlessBusy(() => readSync(device, buffer, 0, CHUNK_BYTES, null));
    if (filled !== undefined && filled > 0) {
      backOff = 1;
      /** @type {Buffer | undefined} */
      let bytes = buffer.subarray(0, filled);
      if (!isBegun && agreement !== undefined) {
        bytes = behindAnswer(bytes, agreement);
        if (bytes === undefined) continue;
        isBegun = true;
        say('begun');
        // The other process hears of it by one byte in front of all others.
        bytes = Buffer.concat([Buffer.of(1), bytes]);
      }
      isConnected = true;
      if (!pass(bytes)) return undefined;
      continue;
    }
    if (filled === 0) {
      // The end: a virtio port whose host side has gone, or is not there yet.
      if (isConnected) return 'ended';
      if (!isBegun) say('away');
      if (performance.now() > giveUpAt) return { error: 'no host is connected to the other side' };
    }
    sleep(backOff);
    backOff = Math.min(backOff * 2, filled === undefined ? MAX_RETRY_MS : MAX_BACK_OFF_MS);
  }
}

let last;
try {
  last = pump();
} catch (error) {
  last = { error: error instanceof Error ? error.message : String(error) };
}
if (last !== undefined) say(last);
