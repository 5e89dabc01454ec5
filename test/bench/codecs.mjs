// The generated encoders and decoders beside general ones, on the same messages: time of each way, and bytes.
import { json } from './codecs/json.mjs';
import { batches, objects } from './codecs/messages.mjs';
import { msgpack } from './codecs/msgpack.mjs';
import { protobufjs } from './codecs/protobuf.mjs';
import { vesper } from './codecs/vesper.mjs';
import { race } from './measure.mjs';
import { row } from './rows.mjs';

/** @import { Codec, Messages, Receiver } from './codecs/messages.mjs' */
/** @import { Contender, Effort } from './measure.mjs' */
/** @import { Row } from './rows.mjs' */

const OURS = 'Vesper';
/** @type {Record<string, { [Kind in keyof Messages]: Codec<Messages[Kind]> }>} */
const codecs = { [OURS]: vesper, JSON: json, msgpackr: msgpack, protobufjs };

/**
 * @param {Effort} effort
 * @returns {Promise<Row[]>}
 */
export async function measureCodecs(effort) {
  /** @type {Row[]} */
  const rows = [];
  for (const kind of /** @type {(keyof Messages)[]} */ (Object.keys(batches))) {
    rows.push(...(await compare(kind, effort)));
  }
  return rows;
}

/**
 * @param {keyof Messages} kind
 * @param {Effort} effort
 */
async function compare(kind, effort) {
  const batch = /** @type {Messages[typeof kind][]} */ (batches[kind]);
  const all = Object.entries(codecs).map(([name, kinds]) => ({
    name,
    codec: /** @type {Codec<Messages[typeof kind]>} */ (kinds[kind]),
  }));
  const encoded = Object.fromEntries(all.map(({ name, codec }) => [name, codec.encode(batch)]));
  for (const { name, codec } of all) assertSame(name, kind, codec, encoded[name]);
  const encode = await race(
    contenders(
      all,
      ({ codec }) =>
        () =>
          codec.encode(batch),
    ),
    effort,
  );
  const receiver = counter();
  const decode = await race(
    contenders(
      all,
      ({ name, codec }) =>
        () =>
          codec.decode(encoded[name], receiver),
    ),
    effort,
  );
  if (receiver.count() === 0) throw new Error('nothing was decoded');
  const each = (/** @type {number} */ total) => total / batch.length;
  return all
    .slice(1)
    .flatMap(({ name }) => [
      row(`codec: ${kind}, encode`, each(encode[OURS]), 'ns', name, each(encode[name])),
      row(`codec: ${kind}, decode`, each(decode[OURS]), 'ns', name, each(decode[name])),
      row(`codec: ${kind}, size`, each(encoded[OURS].byteLength), 'B', name, each(encoded[name].byteLength)),
    ]);
}

/**
 * @template {{ name: string }} One
 * @param {readonly One[]} all
 * @param {(one: One) => () => void} actOf
 * @returns {Record<string, Contender>}
 */
function contenders(all, actOf) {
  return Object.fromEntries(
    all.map((one) => {
      const act = actOf(one);
      const run = (/** @type {number} */ count) => {
        for (let i = 0; i < count; i++) act();
      };
      return [one.name, { run }];
    }),
  );
}

/** Receives, and does as little as can be done with what it is given. */
function counter() {
  let count = 0;
  return {
    /** @type {Receiver['draw']} */
    draw(vertexCount) {
      count += vertexCount;
    },
    /** @type {Receiver['setBindGroup']} */
    setBindGroup(index, bindGroup) {
      if (bindGroup !== undefined) count += index;
    },
    /** @type {Receiver['createRenderPipeline']} */
    createRenderPipeline(device, descriptor) {
      if (descriptor !== device) count++;
    },
    count: () => count,
  };
}

/**
 * @param {string} name
 * @param {keyof Messages} kind
 * @param {Codec<never>} codec
 * @param {Uint8Array} bytes
 */
function assertSame(name, kind, codec, bytes) {
  /** @type {unknown[]} */
  const received = [];
  codec.decode(bytes, {
    draw: (vertexCount, instanceCount, firstVertex, firstInstance) =>
      received.push({ vertexCount, instanceCount, firstVertex, firstInstance }),
    setBindGroup: (index, bindGroup) => received.push({ index, bindGroup }),
    createRenderPipeline: (device, descriptor) => received.push({ device, descriptor }),
  });
  if (
    received.length !== batches[kind].length ||
    !batches[kind].every((message, i) => isWithin(received[i], message))
  ) {
    throw new Error(`${name} gives ${kind} back as ${JSON.stringify(received[0])}`);
  }
}

/**
 * Whether all of `part` is in `whole`: a codec may leave out what is the default. An object stands for its id.
 *
 * @param {unknown} part
 * @param {unknown} whole
 * @returns {boolean}
 */
function isWithin(part, whole) {
  if (typeof part !== 'object' || part === null) return part === whole;
  if (typeof whole === 'number') return objects[whole] === part;
  if (typeof whole !== 'object' || whole === null) return false;
  const members = new Map(Object.entries(whole));
  return Object.entries(part).every(([key, value]) => isWithin(value, members.get(key)));
}
