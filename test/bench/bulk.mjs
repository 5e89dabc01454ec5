// Many bytes over the socket, beside as many bytes over a bare one.
import { percentile, timed } from './measure.mjs';
import { row } from './rows.mjs';

/** @import { Remote } from './remote.mjs' */
/** @import { Effort } from './measure.mjs' */
/** @import { Row } from './rows.mjs' */

/**
 * @param {Remote} remote
 * @param {Effort} effort
 * @returns {Promise<Row[]>}
 */
export async function measureBulk({ code, scene, raw }, effort) {
  /** @type {Row[]} */
  const rows = [];
  for (const mebibytes of [1, 16]) {
    const data = new Uint8Array(mebibytes << 20).fill(mebibytes);
    /** @type {Record<'upload' | 'readback' | 'rawUpload' | 'rawReadback', number[]>} */
    const samples = { upload: [], readback: [], rawUpload: [], rawReadback: [] };
    for (let i = -2; i < effort.transfers; i++) {
      const rawUpload = await timed(() => raw.upload(data));
      const upload = await timed(() => code.upload(scene, data));
      const rawReadback = await timed(() => raw.readBack(data.byteLength));
      let last = 0;
      const readback = await timed(async () => {
        last = (await code.readBack(scene, data.byteLength)).at(-1) ?? 0;
      });
      scene.mappable.unmap();
      if (last !== mebibytes) throw new Error(`a readback of ${mebibytes} MiB gave other bytes than were uploaded`);
      // The first two warm up.
      if (i < 0) continue;
      for (const [name, ms] of Object.entries({ upload, readback, rawUpload, rawReadback })) {
        samples[/** @type {keyof typeof samples} */ (name)].push(ms);
      }
    }
    const rate = (/** @type {keyof typeof samples} */ name) => (mebibytes * 1000) / percentile(samples[name], 0.1);
    const target = { of: /** @type {const} */ ('ratio'), atLeast: 0.7 };
    rows.push(
      row(`bulk: upload ${mebibytes} MiB`, rate('upload'), 'MiB/s', 'raw socket', rate('rawUpload'), target),
      row(`bulk: readback ${mebibytes} MiB`, rate('readback'), 'MiB/s', 'raw socket', rate('rawReadback'), target),
    );
  }
  await scene.assertNoError();
  return rows;
}
