// Copies between a device, file descriptor 4, and the process that started this one, the socket at descriptor 3.
// Why in a process of its own: see device.ts. What goes wrong is said on stderr, in one line.
// @ts-check
import { write, writeSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { Socket } from 'node:net';
import { promisify } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';

import { Agreement } from './agreement.mjs';
import { control, escape, NONCE_BYTES, TAG } from './port-marks.mjs';

const OTHER_PROCESS = 3;
const DEVICE = 4;
/** How long, in milliseconds, the device may take to accept what was queued when the other process closed. */
const LINGER_MS = 5000;
const MAX_BACK_OFF_MS = 16;
/** After how many milliseconds without an answer a session is begun again: the host may have changed meanwhile. */
const FIRST_REPEAT_MS = 2000;
/** How long, in milliseconds, the device may report its end before its first byte: no host is there yet. */
const connectTimeoutMs = Number(process.argv[2]);
/** Whether this is the guest's end of a port, which says where its session begins and ends: see port-marks.mjs. */
const isGuest = process.argv[3] === 'guest';

const writeDevice = promisify(write);
/** Half open, so that what the device still sends does not stop what was queued for it. The reader writes to it, too. */
const socket = new Socket({ fd: OTHER_PROCESS, readable: true, writable: true, allowHalfOpen: true });

/** A read that is pending would keep `process.exit` from returning. */
function die() {
  process.kill(process.pid, 'SIGKILL');
}

/** @param {string} what @param {unknown} error */
function fail(what, error) {
  writeSync(2, `${what}: ${error instanceof Error ? error.message : String(error)}`);
  socket.end(die);
}

/**
 * A session that is beginning: a nonce goes to the host, and whatever the port still holds of an earlier session is
 * dropped until the nonce comes back. Writing waits for a host that is not there yet, so one that comes later than the
 * mark does not miss it; one that goes just then does, and so it is said again.
 */
class Beginning {
  /** With the reader, which looks for the answer. */
  agreement = new Agreement();
  /** Resolves when the host has answered. @type {Promise<void>} */
  answered;
  isOver = false;
  /** @type {() => void} */
  #resolve = () => {};
  #isWriting = false;
  #repeatMs = FIRST_REPEAT_MS;
  /** @type {NodeJS.Timeout | undefined} */
  #timer;

  constructor() {
    this.answered = new Promise((resolve) => (this.#resolve = resolve));
    this.again();
  }

  /** Says it once more, unless it is being said. */
  again() {
    if (this.#isWriting || this.isOver) return;
    clearTimeout(this.#timer);
    // In hexadecimal digits: no mark begins in it.
    const nonce = Buffer.from(randomBytes(NONCE_BYTES / 2).toString('hex'));
    // The reader may know of the answer, and this thread not yet.
    if (!this.agreement.renew(nonce)) return;
    this.#isWriting = true;
    writeAll(control(TAG.start, nonce)).then(
      () => {
        this.#isWriting = false;
        if (this.isOver) return;
        this.#timer = setTimeout(() => this.again(), this.#repeatMs);
        this.#repeatMs *= 2;
      },
      (error) => fail('writing to it failed', error),
    );
  }

  /** The host has answered. */
  end() {
    this.isOver = true;
    clearTimeout(this.#timer);
    this.#resolve();
  }
}

/** Socket to device. */
async function pumpOut() {
  let isWriting = false;
  try {
    for await (const chunk of socket) {
      await beginning?.answered;
      isWriting = true;
      for (const part of isGuest ? escape(chunk) : [chunk]) await writeAll(part);
      isWriting = false;
    }
  } catch (error) {
    // Else the other process is gone without a word, which ends the session as well.
    if (isWriting) throw error;
  }
  if (isGuest) await writeAll(control(TAG.end));
}

/** A device may take a part of what it is given, or nothing yet. @param {Buffer} bytes */
async function writeAll(bytes) {
  let backOff = 1;
  for (let offset = 0; offset < bytes.byteLength;) {
    try {
      const { bytesWritten } = await writeDevice(DEVICE, bytes, offset, bytes.byteLength - offset, null);
      offset += bytesWritten;
      backOff = 1;
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (code !== 'EAGAIN' && code !== 'EINTR') throw error;
      await sleep(backOff);
      backOff = Math.min(backOff * 2, MAX_BACK_OFF_MS);
    }
  }
}

const beginning = isGuest ? new Beginning() : undefined;
if (beginning !== undefined) {
  // A read that waits does not look at the time.
  setTimeout(() => {
    if (!beginning.isOver) fail('beginning a session failed', 'no Vesper host answers on the other side');
  }, connectTimeoutMs);
}

// The other process closed, or ended: what it queued may still go out, if the device takes it.
for (const ending of ['end', 'error']) socket.on(ending, () => setTimeout(die, LINGER_MS));

/** Device to socket. */
const reader = new Worker(new URL('device-reader.mjs', import.meta.url), {
  workerData: { device: DEVICE, output: OTHER_PROCESS, connectTimeoutMs, agreement: beginning?.agreement.memory },
});
reader.on('error', (error) => fail('reading it failed', error));
reader.on('message', (/** @type {import('./device-reader.mjs').Word} */ word) => {
  if (word === 'away') beginning?.again();
  else if (word === 'begun') beginning?.end();
  else if (word === 'ended') socket.end(die);
  else fail('reading it failed', word.error);
});
pumpOut().then(
  () => socket.end(die),
  (error) => fail('writing to it failed', error),
);
