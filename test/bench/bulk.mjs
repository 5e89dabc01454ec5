// Many bytes over the socket, beside as many bytes over a bare one, and beside the direct call, which sends none.
import { timed } from './measure.mjs';
import { row } from './rows.mjs';
import { targets } from './targets.mjs';

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
  for (const mebibytes of effort.transferMiB) rows.push(...(await transfers(direct, remote, effort, mebibytes)));
  for (const { scene } of [direct, remote]) await scene.assertNoError();
  return rows;
}

/**
 * @param {Sides['direct']} direct
 * @param {Remote} remote
 * @param {Effort} effort
 * @param {number} mebibytes in each transfer
 */
async function transfers(direct, remote, effort, mebibytes) {
  const data = new Uint8Array(mebibytes << 20).fill(mebibytes);
  const buffers = {
    direct: direct.code.makeMappable(direct.scene, data.byteLength),
    remote: remote.code.makeMappable(remote.scene, data.byteLength),
  };
  /** @type {Record<string, number[]>} */
  const samples = {};
  // Long ones less often: they are less disturbed, too.
  const count = Math.max(3, Math.min(effort.transfers, Math.round((effort.transfers * 16) / mebibytes)));
  for (let i = -2; i < count; i++) {
    const ms = {
      'raw socket upload': await timed(() => remote.raw.upload(data)),
      'remote upload': await timed(() => remote.code.upload(remote.scene, buffers.remote, data)),
      'direct upload': await timed(() => direct.code.upload(direct.scene, buffers.direct, data)),
      'raw socket readback': await timed(() => remote.raw.readBack(data.byteLength)),
      'remote readback': await checkedReadBack(remote.code, buffers.remote, data),
      'direct readback': await checkedReadBack(direct.code, buffers.direct, data),
    };
    // The first two warm up.
    if (i >= 0) for (const [name, time] of Object.entries(ms)) (samples[name] ??= []).push(time);
  }
  for (const buffer of Object.values(buffers)) buffer.destroy();
  const rate = (/** @type {string} */ name) => (mebibytes * 1000) / Math.min(...samples[name]);
  return ['upload', 'readback'].flatMap((act) => {
    const value = rate(`remote ${act}`);
    const metric = `bulk: ${act} ${mebibytes} MiB`;
    return [
      row(metric, value, 'MiB/s', 'raw socket', rate(`raw socket ${act}`), targets.socketBulk),
      row(metric, value, 'MiB/s', 'direct', rate(`direct ${act}`)),
    ];
  });
}

/**
 * @param {Sides['direct']['code']} code
 * @param {GPUBuffer} buffer
 * @param {Uint8Array} expected what was uploaded: all bytes are the same
 * @returns {Promise<number>} milliseconds
 */
async function checkedReadBack(code, buffer, expected) {
  let last = 0;
  const ms = await timed(async () => {
    last = (await code.readBack(buffer)).at(-1) ?? 0;
  });
  buffer.unmap();
  if (last !== expected[0]) {
    throw new Error(`a readback of ${expected.byteLength} B gave other bytes than were uploaded`);
  }
  return ms;
}
