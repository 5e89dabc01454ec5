// Hosts on the other side of a ring: in a thread of this process, and in a process of their own.
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { connect } from '@vesper-gpu/guest';
import { openTransport } from '@vesper-gpu/transport';
import { ringChannel, ringTransport, SyncRing } from '@vesper-gpu/transport/ring';
import { collectGarbage } from '../collector.mjs';
import { forkHost } from '../fork-host.mjs';
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
  const { ready, stop } = await forkHost(new URL('host-process.mjs', import.meta.url), (folder) => [
    `shm:${join(folder, 'guests')}`,
  ]);
  try {
    const remote = await open(processCode, await openTransport(ready), await openTransport(ready));
    return {
      ...remote,
      async close() {
        await remote.close();
        await stop();
      },
    };
  } catch (error) {
    await stop();
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
  const connection = await connect(guest, { collectGarbage });
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
