// Records what a program sends, and sends it again to another host with an object released or destroyed on the way.
import { readFileSync } from 'node:fs';
import { connect } from '@vesper-gpu/guest';
import { serveGuest } from '@vesper-gpu/host';
import { inProcessPair } from '@vesper-gpu/transport/in-process';
import { FrameReader, HelloReader } from '@vesper-gpu/wire';

const schema = JSON.parse(
  readFileSync(new URL('../../../generated/schema/vesper.schema.json', import.meta.url), 'utf8'),
);
const commands = new Map(schema.commands.map((command) => [command.opcode, command]));
const opcodeOf = (name) => schema.commands.find((command) => command.name === name).opcode;
const RELEASE = opcodeOf('VesperStream.release');
const destroys = new Map(
  schema.commands
    .filter(({ name }) => name.endsWith('.destroy'))
    .map(({ name, opcode }) => [name.split('.')[0], opcode]),
);
const requests = new Set(schema.commands.filter((command) => command.class === 'request').map(({ opcode }) => opcode));
/** Longer than any answer takes, in milliseconds. */
const HANG_MS = 30_000;

const nextTask = () => new Promise((resolve) => setImmediate(resolve));
const wordsOf = (bytes) => new Int32Array(bytes.slice().buffer);

/** Records of a frame, without its header. */
function* recordsOf(words) {
  for (let at = 0; at < words.length;) {
    const length = words[at] >>> 16 || words[at + 1];
    yield words.slice(at, at + length);
    at += length;
  }
}

/**
 * Runs `program` with `navigator.gpu` on a host of `gpu`.
 * @returns the bytes of its hello, and all records.
 */
export async function recordProgram(gpu, program) {
  const [end, hostEnd] = inProcessPair();
  const session = serveGuest(hostEnd, { gpu });
  const sent = [];
  const recording = Object.assign(Object.create(end), {
    start: (handlers) => end.start(handlers),
    send(bytes) {
      sent.push(bytes.slice());
      return end.send(bytes);
    },
    close: () => end.close(),
  });
  const connection = await connect(recording);
  for (const [name, value] of Object.entries(connection.globals))
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  Object.defineProperty(globalThis, 'navigator', { value: { gpu: connection.gpu }, configurable: true });
  await program();
  await connection.close();
  await session.ended;
  const [hello, ...frames] = sent;
  return { hello, records: frames.flatMap((frame) => [...recordsOf(wordsOf(frame).subarray(1))]) };
}

/** Ids that a record binds, with their interfaces. */
function createdBy(record) {
  const command = commands.get(record[0] & 0xffff);
  const first = 1 + (command.target.kind === 'object' ? 1 : 0) + (command.class === 'request' ? 1 : 0);
  return command.creates.map((name, index) => ({ name, id: record[first + index] >>> 0 }));
}

/** Everything that can be done to an object behind its creation, before each record that follows: step, name, record. */
export function attacks(records) {
  const found = [];
  const live = [];
  for (const [step, record] of records.entries()) {
    for (const { name, id } of live) {
      found.push({ step, what: `release of a ${name}`, record: Int32Array.of(RELEASE | (3 << 16), 1, id) });
      const destroy = destroys.get(name);
      if (destroy !== undefined)
        found.push({ step, what: `destroy of a ${name}`, record: Int32Array.of(destroy | (2 << 16), id) });
    }
    live.push(...createdBy(record));
  }
  return found;
}

/** @returns how the session ended: it must not be by a fault; what the backend's process says is another matter. */
export async function replay(gpu, { hello, records }, attack) {
  const [end, hostEnd] = inProcessPair();
  const session = serveGuest(hostEnd, { gpu });
  const seen = { replies: 0, hasEnded: false };
  void session.ended.then(() => (seen.hasEnded = true));
  let helloReader = new HelloReader('host');
  const frames = new FrameReader(1 << 26);
  const count = (words) => {
    for (const record of recordsOf(wordsOf(words))) if (requests.has(record[0] & 0xffff)) seen.replies++;
  };
  end.start({
    bytes(chunk) {
      let rest = chunk;
      if (helloReader !== undefined) {
        const received = helloReader.push(chunk);
        if (received === undefined) return;
        helloReader = undefined;
        rest = received.rest;
      }
      frames.push(rest, count);
    },
    closed() {},
  });
  const send = (record) => {
    const words = new Int32Array(record.length + 1);
    words[0] = words.byteLength;
    words.set(record, 1);
    end.send(new Uint8Array(words.buffer));
  };
  end.send(hello.slice());
  let asked = 0;
  const start = performance.now();
  for (const [step, record] of records.entries()) {
    if (step === attack?.step) send(attack.record);
    send(record);
    if (requests.has(record[0] & 0xffff)) asked++;
    while (seen.replies < asked && !seen.hasEnded) {
      if (performance.now() - start > HANG_MS) return { reason: 'hang', message: `no answer at step ${step}` };
      await nextTask();
    }
    if (seen.hasEnded) break;
  }
  end.close();
  const { reason, message } = await session.ended;
  return { reason, message };
}

/** What is wrong with how a session ended. */
export function verdict({ reason, message }) {
  if (reason === 'closed') return undefined;
  if (reason === 'protocol' && /^bad-(object|id): /.test(message)) return undefined;
  return `${reason}: ${message}`;
}
