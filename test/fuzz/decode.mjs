/**
 * Fuzzes the host's decoder: valid streams, harmed by a mutator that knows records, into the decoder, the object table
 * and the bulk queue, with handlers that do nothing. Whatever is not a ProtocolError is a failure.
 *
 *   node test/fuzz/decode.mjs [--seconds N] [--executions N] [--seed S] [--out DIR] [--replay FILE]
 *
 * One execution is one frame. On failure the frames since the connection was opened go to a file under --out, which
 * --replay runs again, and the exit code is 1. Needs the built packages.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ProtocolError } from '@vesper-gpu/wire';
import { openHost } from './host.mjs';
import { mutatedFrame } from './mutate.mjs';
import { Random } from './random.mjs';
import { recordStreams } from './streams.mjs';

/** Frames that one connection sees: refused ones too, although a session would be over. */
const FRAMES_A_CONNECTION = 60;
const FRAMES_A_CLOCK = 1000;

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '10' },
    executions: { type: 'string' },
    seed: { type: 'string', default: '1' },
    out: { type: 'string', default: 'out/fuzz' },
    replay: { type: 'string' },
  },
});

const schema = JSON.parse(readFileSync(join(import.meta.dirname, '../../generated/schema/vesper.schema.json'), 'utf8'));

/** @returns what is wrong with how the host took a frame, or undefined; counts the reasons of refusals. */
function execute(host, frame, reasons) {
  try {
    host.connection.receive(frame);
  } catch (error) {
    if (!(error instanceof ProtocolError)) return error.stack ?? String(error);
    reasons.set(error.reason, (reasons.get(error.reason) ?? 0) + 1);
    if (error.offset < -1 || error.offset > frame.byteLength)
      return `offset ${error.offset} in ${frame.byteLength} bytes`;
    if (error.opcode < -1 || error.opcode > 0xffff) return `opcode ${error.opcode}`;
    return undefined;
  }
  reasons.set('taken', (reasons.get('taken') ?? 0) + 1);
  return host.faults.length > 0 ? `fault: ${host.faults[0].stack}` : undefined;
}

function joined(records) {
  const words = Int32Array.from([0, ...records.flatMap((record) => [...record])]);
  words[0] = words.byteLength;
  return new Uint8Array(words.buffer);
}

/** A host that has an object of each interface. */
function openFilled(setUp) {
  const host = openHost(schema);
  host.connection.receive(setUp);
  return host;
}

function report(what, frames, execution) {
  mkdirSync(options.out, { recursive: true });
  const file = join(options.out, `decode-seed${options.seed}-${execution}.json`);
  const encoded = frames.map((frame) => Buffer.from(frame).toString('base64'));
  writeFileSync(file, `${JSON.stringify({ what, seed: Number(options.seed), execution, frames: encoded }, null, 2)}\n`);
  console.error(`execution ${execution}, seed ${options.seed}: ${what}\nreproducer: ${file}`);
  process.exitCode = 1;
}

function replay(file) {
  const { frames } = JSON.parse(readFileSync(file, 'utf8'));
  const host = openHost(schema);
  for (const [index, frame] of frames.entries()) {
    const found = execute(host, new Uint8Array(Buffer.from(frame, 'base64')), new Map());
    if (found === undefined) continue;
    console.error(`frame ${index}: ${found}`);
    process.exitCode = 1;
    return;
  }
  console.log(`${frames.length} frames, no failure`);
}

async function fuzz() {
  // Half the time would go into stacks that nobody reads; --replay has them.
  Error.stackTraceLimit = 0;
  const random = new Random(Number(options.seed));
  const streams = recordStreams(schema, random);
  const setUp = joined(streams.setUp);
  const reasons = new Map();
  const most = options.executions === undefined ? Infinity : Number(options.executions);
  const start = performance.now();
  const end = start + (options.executions === undefined ? Number(options.seconds) * 1000 : Infinity);
  let executions = 0;
  let host = openFilled(setUp);
  let frames = [setUp];
  // Never more valid than unharmed: what the pool holds must be taken, or the mutants test nothing.
  for (const records of streams.pool) {
    const found = new Map();
    const wrong = execute(openFilled(setUp), joined(records), found);
    if (wrong !== undefined || !found.has('taken'))
      throw new Error(`a valid record was refused: ${[...found.keys()]} ${wrong}`);
  }
  while (executions < most && (executions % FRAMES_A_CLOCK !== 0 || performance.now() < end)) {
    const frame = mutatedFrame(streams, random);
    frames.push(frame);
    const found = execute(host, frame, reasons);
    executions++;
    if (found !== undefined) return report(found, frames, executions);
    // Behind a header that lied, the stream stands within a frame: nothing more would be decoded.
    if (frames.length > FRAMES_A_CONNECTION || host.connection.isWithinFrame) {
      host = openFilled(setUp);
      frames = [setUp];
      // What waits for a microtask may be let go.
      await Promise.resolve();
    }
  }
  const seconds = (performance.now() - start) / 1000;
  const verdicts = [...reasons].toSorted((a, b) => b[1] - a[1]).map(([reason, count]) => `${reason} ${count}`);
  console.log(
    `${executions} executions in ${seconds.toFixed(1)} s, ${Math.round(executions / seconds)}/s, seed ${options.seed}`,
  );
  console.log(verdicts.join(', '));
}

if (options.replay !== undefined) replay(options.replay);
else await fuzz();
