// What a call costs the guest: its public classes write to a connection whose bytes go nowhere.
import { BareEncoder, bareLoops } from './bare-encoder.mjs';
import { race, turn } from './measure.mjs';
import { row } from './rows.mjs';
import { targets } from './targets.mjs';

/** @import { Sides } from './sides.mjs' */
/** @import { Contender, Effort } from './measure.mjs' */
/** @import { Row, Target } from './rows.mjs' */

/** @type {Readonly<Record<string, Target>>} of ratios to the direct call */
const besideDirect = {
  'bind group + vertex buffer + draw': targets.encode,
  createBuffer: targets.create,
  createBindGroup: targets.create,
  'writeBuffer 16 B': targets.writeBuffer,
  'writeBuffer 256 B': targets.writeBuffer,
};

/** @type {Readonly<Record<string, Target>>} of ratios to the bare encoder */
const besideBare = { draw: targets.bareStores, setBindGroup: targets.bareStores };

/**
 * @param {Sides} sides
 * @param {Effort} effort
 * @returns {Promise<Row[]>}
 */
export async function measureGuest(sides, effort) {
  /** @type {Row[]} */
  const rows = [];
  sides.loopback.mode = 'discard';
  for (const [name, contenders] of allContenders(sides)) {
    const ns = await race(contenders, effort);
    rows.push(row(`guest: ${name}`, ns.guest, 'ns', 'direct', ns.direct, besideDirect[name]));
    if (ns.bare !== undefined) {
      rows.push(row(`guest: ${name}`, ns.guest, 'ns', 'bare stores', ns.bare, besideBare[name]));
    }
  }
  return rows;
}

/**
 * @param {Sides} sides
 * @returns {Generator<[string, Record<'guest' | 'direct', Contender> & { bare?: Contender }]>}
 */
function* allContenders({ guest, direct }) {
  for (const name of Object.keys(guest.code.renderLoops)) {
    const bare = bareLoops[name];
    const encoder = new BareEncoder();
    yield [
      name,
      {
        guest: passContender(guest, guest.code.beginPass, guest.code.renderLoops[name]),
        direct: passContender(direct, direct.code.beginPass, direct.code.renderLoops[name]),
        ...(bare && { bare: { run: (/** @type {number} */ count) => bare(encoder, count) } }),
      },
    ];
  }
  yield [
    'dispatchWorkgroups',
    {
      guest: passContender(guest, guest.code.beginComputePass, (pass, _, count) =>
        guest.code.dispatchLoop(pass, count),
      ),
      direct: passContender(direct, direct.code.beginComputePass, (pass, _, count) =>
        direct.code.dispatchLoop(pass, count),
      ),
    },
  ];
  for (const name of Object.keys(guest.code.deviceLoops)) {
    yield [name, { guest: deviceContender(guest, name), direct: deviceContender(direct, name) }];
  }
}

/**
 * Bursts in a pass of their own, which is opened before and finished behind them.
 *
 * @template Pass
 * @param {Sides['guest']} side
 * @param {(scene: Sides['guest']['scene']) => { pass: Pass, finish(): GPUCommandBuffer }} begin
 * @param {(pass: Pass, scene: Sides['guest']['scene'], count: number) => void} loop
 * @returns {Contender}
 */
function passContender({ scene }, begin, loop) {
  /** @type {ReturnType<typeof begin>} */
  let open;
  return {
    async before() {
      open = begin(scene);
      await turn();
    },
    run: (count) => loop(open.pass, scene, count),
    async after() {
      open.finish();
      await turn();
    },
  };
}

/**
 * @param {Sides['guest']} side
 * @param {string} name
 * @returns {Contender}
 */
function deviceContender({ scene, code, idle }, name) {
  const loop = code.deviceLoops[name];
  /** @type {{ destroy?(): void }[]} */
  let made = [];
  return {
    run: (count) => loop(scene, count, made),
    async after() {
      for (const object of made) object.destroy?.();
      made = [];
      await idle();
    },
  };
}
