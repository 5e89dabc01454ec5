// What popular, unmodified programs were seen to call, per frame or inference.

/**
 * @typedef {object} Mix
 * @property {'render' | 'compute'} kind
 * @property {number} calls draws or dispatches
 * @property {number} setPipeline
 * @property {number} setBindGroup
 * @property {number} setBuffer vertex and index buffers
 * @property {number} submits
 * @property {number} [passes] as many as submits, if it is not said
 * @property {number} writes calls of writeBuffer
 * @property {number} writtenBytes by all of them
 * @property {number} createBindGroup
 * @property {number} createBuffer a fraction: not every time
 * @property {number} maps
 * @property {number} mappedBytes by all of them
 * @property {number} reads of attributes
 * @property {number} instanceofs
 */

/**
 * @param {Mix['kind']} kind
 * @param {[calls: number, setPipeline: number, setBindGroup: number, setBuffer: number]} commands
 * @param {number} submits
 * @param {[calls: number, bytes: number]} writes
 * @param {[createBindGroup: number, createBuffer: number]} created
 * @param {[calls: number, bytes: number]} maps
 * @param {[reads: number, instanceofs: number]} looks
 * @param {number} [passes]
 * @returns {Mix}
 */
function mix(kind, commands, submits, writes, created, maps, looks, passes) {
  const [calls, setPipeline, setBindGroup, setBuffer] = commands;
  const [createBindGroup, createBuffer] = created;
  return {
    kind,
    calls,
    setPipeline,
    setBindGroup,
    setBuffer,
    submits,
    ...(passes === undefined ? {} : { passes }),
    writes: writes[0],
    writtenBytes: writes[1],
    createBindGroup,
    createBuffer,
    maps: maps[0],
    mappedBytes: maps[1],
    reads: looks[0],
    instanceofs: looks[1],
  };
}

/** @type {Readonly<Record<string, Mix>>} */
export const mixes = {
  '3D engine A, one render target': mix('render', [43, 11, 47, 112], 2, [6, 352], [0, 0], [0, 0], [0, 43]),
  '3D engine A with bloom': mix('render', [56, 24, 60, 125], 15, [22, 684], [3, 2.6], [0, 0], [3, 56]),
  '3D engine B': mix('render', [27, 27, 54, 68], 1, [4, 1100], [0, 0], [0, 0], [2, 0]),
  '3D engine C': mix('render', [24, 24, 34, 120], 1, [1, 112], [0, 0.2], [1, 102_400], [6, 0]),
  'MobileNetV2 inference, library A': mix(
    'compute',
    [199, 199, 199, 0],
    14,
    [199, 22_000],
    [199, 2],
    [1, 4000],
    [1009, 877],
  ),
  'training step of a small net, library A': mix(
    'compute',
    [80, 80, 80, 0],
    6,
    [80, 3900],
    [80, 30],
    [1, 4],
    [558, 334],
  ),
  'OCR inference, library B': mix(
    'compute',
    [305, 305, 305, 0],
    65,
    [305, 24_000],
    [305, 62],
    [31, 11_300_000],
    [1278, 0],
  ),
  'OCR inference, library B, older path': mix(
    'compute',
    [370, 370, 370, 0],
    25,
    [373, 127_000],
    [370, 8.5],
    [3, 530_000],
    [2963, 0],
  ),
  'one token of a small transformer': mix('compute', [43, 43, 43, 0], 1, [2, 20], [0, 0], [1, 1024], [0, 0]),
  '20,000 objects, one bind group each': mix('render', [20_000, 1, 20_001, 1], 1, [1, 64], [0, 0], [0, 0], [0, 0]),
  // Its other calls are as many as take a pass for each canvas.
  '200 small canvases': mix('render', [200, 200, 200, 400], 1, [200, 29_000], [0, 0], [0, 0], [800, 0], 200),
  '700 stencilled objects': mix('render', [706, 13, 706, 1412], 1, [719, 58_000], [0, 0], [0, 0], [4, 0]),
};
