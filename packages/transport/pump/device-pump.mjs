// Copies between a device, file descriptor 4, and the process that started this one, the socket at descriptor 3.
// Why in a process of its own: see device.ts. What goes wrong is said on stderr, in one line.
// @ts-check
import { read, write, writeSync } from 'node:fs';
import { Socket } from 'node:net';
import { promisify } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';

const DEVICE = 4;
const CHUNK_BYTES = 64 << 10;
/** How long, in milliseconds, the device may take to accept what was queued when the other process closed. */
const LINGER_MS = 5000;
const MAX_BACK_OFF_MS = 250;
/** How long, in milliseconds, the device may report its end before its first byte: no host is there yet. */
const connectTimeout = Number(process.argv[2]);

const readDevice = promisify(read);
const writeDevice = promisify(write);
/** Half open, so that what the device still sends does not stop what was queued for it. */
const socket = new Socket({ fd: 3, readable: true, writable: true, allowHalfOpen: true });

/** A read that is pending would keep `process.exit` from returning: it waits for the threads of the pool. */
function die() {
  process.kill(process.pid, 'SIGKILL');
}

/** @param {string} what @param {unknown} error */
function fail(what, error) {
  writeSync(2, `${what}: ${error instanceof Error ? error.message : String(error)}`);
  socket.end(die);
}

/** @param {unknown} error */
function mustWait(error) {
  return error instanceof Error && 'code' in error && (error.code === 'EAGAIN' || error.code === 'EINTR');
}

/** Device to socket. */
async function pumpIn() {
  const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  const giveUpAt = performance.now() + connectTimeout;
  let connected = false;
  let backOff = 1;
  for (;;) {
    let filled = 0;
    let waiting = false;
    try {
      filled = (await readDevice(DEVICE, buffer, 0, CHUNK_BYTES, null)).bytesRead;
    } catch (error) {
      if (!mustWait(error)) throw error;
      waiting = true;
    }
    if (filled > 0) {
      connected = true;
      backOff = 1;
      // Copied by the kernel, or not at all yet: the buffer is free again once the callback was called.
      await new Promise((resolve) => socket.write(buffer.subarray(0, filled), resolve));
      continue;
    }
    // The end: a virtio port whose host side has gone, or is not there yet.
    if (!waiting && connected) return;
    if (!waiting && performance.now() > giveUpAt) throw new Error('no host is connected to the other side');
    await sleep(backOff);
    backOff = Math.min(backOff * 2, waiting ? 16 : MAX_BACK_OFF_MS);
  }
}

/** Socket to device: a device may take a part of what it is given, or nothing yet. */
async function pumpOut() {
  for await (const chunk of socket) {
    let backOff = 1;
    for (let offset = 0; offset < chunk.byteLength;) {
      try {
        const { bytesWritten } = await writeDevice(DEVICE, chunk, offset, chunk.byteLength - offset, null);
        offset += bytesWritten;
        backOff = 1;
      } catch (error) {
        if (!mustWait(error)) throw error;
        await sleep(backOff);
        backOff = Math.min(backOff * 2, 16);
      }
    }
  }
}

// The other process is gone without a word.
socket.on('error', die);
// The other process closed, or ended: what it queued may still go out, if the device takes it.
socket.on('end', () => setTimeout(die, LINGER_MS));

pumpIn().then(
  () => socket.end(die),
  (error) => fail('reading it failed', error),
);
pumpOut().then(
  () => socket.end(die),
  (error) => fail('writing to it failed', error),
);
