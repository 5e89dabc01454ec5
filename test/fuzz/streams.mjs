import * as guest from '@vesper-gpu/protocol/guest';
import { WireWriter } from '@vesper-gpu/wire';
import { Values } from './values.mjs';

/** Valid records of each command in the pool. */
const SAMPLES = 24;

const encoders = new Map(Object.entries(guest));

function encoderOf(name) {
  const [owner, member] = name.split('.');
  const stem = owner.replace(/^(GPU|Vesper)/, '').replace(/Mixin$/, '');
  const capital = (word) => word.charAt(0).toUpperCase() + word.slice(1);
  return encoders.get(`encode${stem === '' ? 'Gpu' : stem}${capital(member)}`);
}

const idAt = (slot) => (slot | (1 << 22)) >>> 0;

/** The records of a frame, without its header. */
function recordsOf(write) {
  const writer = new WireWriter();
  write(writer);
  const bytes = writer.takeFrame();
  return new Int32Array(bytes.buffer.slice(bytes.byteOffset + 4, bytes.byteOffset + bytes.byteLength));
}

/**
 * Valid streams: one that makes an object of each interface, and a pool of records that use them.
 * @returns `setUp`, its records; `pool`, records that are valid behind it; `ids`, those that it binds; `nextSlot`.
 */
export function recordStreams(schema, random) {
  const ids = new Map();
  let nextSlot = 0;
  const idOf = (interfaces) => random.pick(interfaces.map((name) => ids.get(name)).filter((id) => id !== undefined));
  const values = new Values(schema, random, idOf);
  // Arguments that are ids, although the schema calls them numbers.
  const special = {
    'VesperStream.selectEncoder': () => [idOf(schema.interfaces.filter((one) => one.isEncoder).map((one) => one.name))],
    'VesperStream.release': () => [[...ids.values()].filter(() => random.oneIn(6))],
  };
  const argumentsOf = (command, newIds) => [
    ...(command.target.kind === 'object' ? [idOf(command.target.interfaces)] : []),
    ...(command.class === 'request' ? [random.u32()] : []),
    ...newIds,
    ...(special[command.name]?.() ?? command.fields.map((field) => values.field(field))),
  ];
  const select = (command) =>
    command.target.kind === 'currentEncoder'
      ? [recordsOf((w) => guest.encodeStreamSelectEncoder(w, idOf(command.target.interfaces)))]
      : [];
  const recordOf = (command, newIds) => recordsOf((w) => encoderOf(command.name)(w, ...argumentsOf(command, newIds)));
  const commands = schema.commands.filter((command) => command.class !== 'runtime');
  const setUp = [];
  // Creations whose ingredients exist, until there is nothing new: the order follows from the schema.
  for (let left = commands.filter((command) => command.creates.length > 0), before = -1; left.length !== before;) {
    before = left.length;
    left = left.filter((command) => {
      const isTargetThere = command.target.kind === 'none' || command.target.interfaces.some((name) => ids.has(name));
      if (!isTargetThere) return true;
      if (!hasAllIds(command, ids, schema)) return true;
      const newIds = command.creates.map(() => idAt(nextSlot++));
      setUp.push(...select(command), recordOf(command, newIds));
      command.creates.forEach((name, index) => ids.set(name, ids.get(name) ?? newIds[index]));
      return false;
    });
  }
  const pool = commands.flatMap((command) =>
    Array.from({ length: SAMPLES }, () => {
      const newIds = command.creates.map((_, index) => idAt(nextSlot + index));
      return [...select(command), recordOf(command, newIds)];
    }),
  );
  return { setUp, pool, ids: [...ids.values()], nextSlot };
}

/** Whether every object that a command can name is there. */
function hasAllIds(command, ids, schema) {
  const dictionaries = new Map(schema.dictionaries.map((one) => [one.name, one]));
  const check = (type) => {
    switch (type.kind) {
      case 'object':
        return type.interfaces.some((name) => ids.has(name));
      case 'dictionary':
      case 'shape':
        return dictionaries.get(type.name).fields.every((field) => check(field.type));
      case 'sequence':
        return check(type.element);
      case 'nullable':
        return check(type.inner);
      case 'union':
        return type.members.every(check);
      default:
        return true;
    }
  };
  return command.fields.every((field) => check(field.type));
}
