// Many bytes over the socket, beside as many bytes over a bare one, and beside the direct call, which sends none.
import { timed } from './measure.mjs';
import { row } from './rows.mjs';

/** @import { Remote } from './remote.mjs' */
/** @import { Sides } from './sides.mjs' */
/** @import { Effort } from './measure.mjs' */
/** @import { Row } from './rows.mjs' */

/**
 * @param {Sides} sides
 * @param {Remote} remote
 * @param {Effort} effort
 * @returns {Promise<Row[]>}
 */
export async function measureBulk({ direct }, remote, effort) {
  /** @type {Row[]} */
  const rows = [];
  for (const mebibytes of [1, 16]) {
    const data = new Uint8Array(mebibytes << 20).fill(mebibytes);
    /** @type {Record<string, number[]>} */
    const samples = {};
    for (let i = -2; i < effort.transfers; i++) {
      const ms = {
        'raw socket upload': await timed(() => remote.raw.upload(data)),
        'remote upload': await timed(() => remote.code.upload(remote.scene, data)),
        'direct upload': await timed(() => direct.code.upload(direct.scene, data)),
        'raw socket readback': await timed(() => remote.raw.readBack(data.byteLength)),
        'remote readback': await checkedReadBack(remote, data),
        'direct readback': await checkedReadBack(direct, data),
      };
      // The first two warm up.
      if (i >= 0) for (const [name, time] of Object.entries(ms)) (samples[name] ??= []).push(time);
    }
    const rate = (/** @type {string} */ name) => (mebibytes * 1000) / Math.min(...samples[name]);
    for (const act of ['upload', 'readback']) {
      const value = rate(`remote ${act}`);
      const metric = `bulk: ${act} ${mebibytes} MiB`;
      rows.push(
        row(metric, value, 'MiB/s', 'raw socket', rate(`raw socket ${act}`), { of: 'ratio', atLeast: 0.7 }),
        row(metric, value, 'MiB/s', 'direct', rate(`direct ${act}`)),
      );
    }
  }
  for (const { scene } of [direct, remote]) await scene.assertNoError();
  return rows;
}

/**
 * @param {Pick<Sides['direct'], 'code' | 'scene'>} side
 * @param {Uint8Array} expected what was uploaded: all bytes are the same
 * @returns {Promise<number>} milliseconds
 */
async function checkedReadBack({ code, scene }, expected) {
  let last = 0;
  const ms = await timed(async () => {
    last = (await code.readBack(scene, expected.byteLength)).at(-1) ?? 0;
  });
  scene.mappable.unmap();
  if (last !== expected[0])
    throw new Error(`a readback of ${expected.byteLength} B gave other bytes than were uploaded`);
  return ms;
}
