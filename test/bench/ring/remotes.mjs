// Hosts on the other side of a ring: in a thread of this process, and in a process of their own.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { connect } from '@vesper-gpu/guest';
import { openTransport } from '@vesper-gpu/transport';
import { ringChannel, ringTransport, SyncRing } from '@vesper-gpu/transport/ring';
import * as processCode from '../scene.mjs?process';
import * as threadCode from '../scene.mjs?thread';

/** @import { Transport } from '@vesper-gpu/wire' */

/**
 * @typedef {object} RingRemote
 * @property {typeof threadCode} code
 * @property {threadCode.Scene} scene
 * @property {() => Promise<void>} echo a few bytes there and back on a ring of the same kind
 * @property {() => Promise<void>} close
 */

/** @returns {Promise<RingRemote>} */
export async function openThread() {
  const [guest, echo] = [ringChannel(), ringChannel()];
  const worker = new Worker(new URL('host-thread.mjs', import.meta.url), {
    workerData: { guest: guest.port2, echo: echo.port2 },
    transferList: [guest.port2.port, echo.port2.port],
  });
  const remote = await open(threadCode, ringTransport(guest.port1), ringTransport(echo.port1));
  return {
    ...remote,
    async close() {
      await remote.close();
      await worker.terminate();
    },
  };
}

/** @returns {Promise<RingRemote>} */
export async function openProcess() {
  const folder = await mkdtemp(join(tmpdir(), 'vesper-bench-'));
  const host = fork(fileURLToPath(new URL('host-process.mjs', import.meta.url)), [`shm:${join(folder, 'guests')}`]);
  try {
    const [address] = await Promise.race([
      once(host, 'message'),
      once(host, 'exit').then(([status, signal]) => {
        throw new Error(`the host process ended with ${signal ?? `status ${status}`} before it listened`);
      }),
    ]);
    const guest = await openTransport(address);
    const remote = await open(processCode, guest, await openTransport(address));
    return {
      ...remote,
      async close() {
        await remote.close();
        const exit = once(host, 'exit');
        host.disconnect();
        await exit;
        await rm(folder, { recursive: true, force: true });
      },
    };
  } catch (error) {
    host.kill();
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

/**
 * @param {typeof threadCode} code
 * @param {Transport} guest
 * @param {Transport} echo
 * @returns {Promise<RingRemote>}
 */
async function open(code, guest, echo) {
  let answered = () => {};
  echo.start({ bytes: () => answered(), closed() {} });
  const connection = await connect(guest);
  return {
    code,
    scene: await code.makeScene(connection.gpu),
    echo: () =>
      new Promise((resolve) => {
        answered = resolve;
        echo.send(new Uint8Array(8));
      }),
    async close() {
      echo.close();
      await connection.close();
    },
  };
}

/**
 * Two threads that block.
 *
 * @returns {{ echo: () => void, close: () => Promise<unknown> }}
 */
export function openBlocking() {
  const { port1, port2 } = ringChannel();
  const worker = new Worker(new URL('blocking-echo.mjs', import.meta.url), {
    workerData: port2,
    transferList: [port2.port],
  });
  const ring = new SyncRing(port1);
  const answer = new Uint8Array(8);
  return {
    echo() {
      ring.write(new Uint8Array(8));
      ring.read(answer);
    },
    close: () => worker.terminate(),
  };
}
