import { OPCODE_BEGIN_BULK, OPCODE_BULK_CHUNK } from '@vesper-gpu/wire';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { commands, events, type TypeSchema } from '../wire/schema.ts';
import { Arena } from './arena.ts';
import { Layout } from './layout.ts';
import { bitMutants, fieldMutants, recordMutants, type Mutant } from './mutators.ts';
import { fieldSample, sample } from './samples.ts';
import { nextTask, REQUESTS, Victim, type RequestName } from './victim.ts';

const noIds = (): number => 1;
const MOST_REPORTED = 5;
const REFUSED = /^the connection to the host ended: [a-z-]+: .+ \((opcode \d+, )?byte \d+\)$/;
const LOST = commands.find((command) => command.name === 'GPUDevice.destroy')!;

/** A reply to the request that waits. */
function reply(name: RequestName, status: number, type: TypeSchema, variant: number): Layout {
  const layout = new Layout(commands.find((command) => command.name === name)!.opcode);
  layout.words.push(Victim.requestId(name), status);
  layout.payload(type, sample(type, noIds, variant));
  return layout;
}

const FAILURE: TypeSchema = { kind: 'dictionary', name: 'VesperFailure' };

/** Everything that a host can say, with every field there. */
const MESSAGES: [string, (variant: number) => Layout, RequestName | undefined][] = [
  ...REQUESTS.map((name): [string, (variant: number) => Layout, RequestName] => {
    const type = commands.find((command) => command.name === name)!.reply!;
    return [`the reply to ${name}`, (variant) => reply(name, 0, type, variant), name];
  }),
  ['a failure', (variant) => reply('GPUBuffer.mapAsync', 1, FAILURE, variant), 'GPUBuffer.mapAsync'],
  ...events
    // Of `ended` there is more below: what follows it is the host's farewell.
    .map((event): [string, (variant: number) => Layout, undefined] => [
      event.name,
      (variant) => {
        const layout = new Layout(event.opcode);
        if (event.target.kind === 'object') layout.words.push(0x40_0001);
        for (const field of event.fields) layout.argument(field, fieldSample(field, noIds, variant));
        return layout;
      },
      undefined,
    ]),
];

/** @returns what is wrong with how the guest took a harmed message, or undefined. */
async function judge(mutant: Mutant, request: RequestName | undefined): Promise<string | undefined> {
  const victim = await Victim.open();
  const wrong = (what: string): string => `${mutant.path} ${mutant.what}: ${what}`;
  try {
    await victim.hear(mutant.words);
  } catch (error) {
    return wrong(`threw ${String(error)}`);
  }
  const isRefused = victim.transport.closes > 0;
  if (isRefused !== (mutant.expected !== 'taken') && mutant.expected !== 'either') {
    return wrong(isRefused ? `was refused: ${victim.endedBy}` : 'was taken');
  }
  if (!isRefused) {
    // A header that lies may make it a message of another kind.
    if (request !== undefined && !mutant.harmsHeader && mutant.expected === 'taken' && !victim.hasSettled(request)) {
      return wrong('did not settle its request');
    }
    victim.leave();
  }
  await victim.allSettled();
  if (isRefused && !REFUSED.test(victim.endedBy ?? '')) return wrong(`the device was told "${victim.endedBy}"`);
  return undefined;
}

async function attack(mutants: Iterable<Mutant>, request: RequestName | undefined): Promise<string[]> {
  const wrong: string[] = [];
  for (const mutant of mutants) {
    const found = await judge(mutant, request);
    if (found !== undefined && wrong.push(found) === MOST_REPORTED) break;
  }
  return wrong;
}

// An uncaptured error that nobody listens to is a line on the console.
beforeAll(() => void vi.spyOn(console, 'warn').mockImplementation(() => {}));
afterAll(() => void vi.restoreAllMocks());

describe.each(MESSAGES)('a hostile host: %s', (_, layoutOf, request) => {
  it('unharmed is taken', async () => {
    for (const variant of [0, 1]) {
      const words = layoutOf(variant).record();
      expect(await judge({ path: '', what: 'unharmed', words, expected: 'taken' }, request)).toBeUndefined();
    }
  });

  it('is refused, or taken, whatever a field holds', async () => {
    const model = await Arena.open();
    for (const variant of [0, 1]) {
      expect(await attack(fieldMutants(layoutOf(variant), model, ''), request)).toEqual([]);
    }
  });

  it('is refused when it is cut anywhere, lengthened, or lies about its length', async () => {
    expect(await attack(recordMutants(layoutOf(0)), request)).toEqual([]);
  });

  it('is refused, or taken, with any one bit flipped', async () => {
    const flipped = [...bitMutants(layoutOf(0), '')];
    // Where the layout is long, every third bit: no two neighbours are the same kind of bit for long.
    const some = flipped.length > 800 ? flipped.filter((_, index) => index % 3 === 0) : flipped;
    expect(await attack(some, undefined)).toEqual([]);
  });
});

describe('a hostile host', () => {
  const record = (opcode: number, ...words: number[]): Int32Array<ArrayBuffer> =>
    Int32Array.of(opcode | ((words.length + 1) << 16), ...words);
  const done = commands.find((command) => command.name === 'GPUQueue.onSubmittedWorkDone')!.opcode;
  const waiting = Victim.requestId('GPUQueue.onSubmittedWorkDone');

  it.each([
    ['a reply to no request', [record(done, 0, 0)], /bad-request: a reply to request 0, which is not pending/],
    ['a reply to a request of the past', [record(done, 1, 0)], /bad-request/],
    ['a reply to a request of the future', [record(done, 99, 0)], /bad-request/],
    ['a reply to request 2^32 - 1', [record(done, -1, 0)], /bad-request: a reply to request 4294967295/],
    ['two replies to one request', [record(done, waiting, 0), record(done, waiting, 0)], /bad-request/],
    ['a status that is none', [record(done, waiting, 2)], /bad-union: reply status 2/],
    ['a record that is none', [record(0)], /truncated/],
    ['a command', [record(LOST.opcode, 1)], /bad-request/],
    ['a chunk of bulk data that was not announced', [record(OPCODE_BULK_CHUNK, 4, 0)], /bad-bulk/],
    ['bulk data of nothing', [record(OPCODE_BEGIN_BULK, 0)], /bad-bulk/],
    ['more bulk data than the limit', [record(OPCODE_BEGIN_BULK, -1)], /limit/],
  ] as [string, Int32Array<ArrayBuffer>[], RegExp][])('that sends %s is left', async (_, records, message) => {
    const victim = await Victim.open();
    await victim.hear(...records);
    expect(victim.transport.closes).toBeGreaterThan(0);
    const outcomes = await victim.allSettled();
    expect(victim.endedBy).toMatch(message);
    expect(outcomes).toMatchObject({ 'GPUBuffer.mapAsync': 'AbortError', 'GPUDevice.popErrorScope': 'resolved' });
  });

  it.each([
    ['of no length', [0, 0, 0, 0], /bad-frame/],
    ['of 7 bytes', [7, 0, 0, 0], /bad-frame/],
    ['that is too large', [0, 0, 0, 0xf0], /frame-too-large/],
  ])('that sends a frame %s is left', async (_, bytes, message) => {
    const victim = await Victim.open();
    await victim.hearBytes(Uint8Array.from(bytes));
    expect(victim.transport.closes).toBeGreaterThan(0);
    await victim.allSettled();
    expect(victim.endedBy).toMatch(message);
  });

  it('that leaves within a frame is known for it', async () => {
    const victim = await Victim.open();
    await victim.hearBytes(Uint8Array.of(16, 0, 0, 0, 1));
    victim.leave();
    await victim.allSettled();
    expect(victim.endedBy).toMatch(/truncated: the connection ended within a frame/);
  });

  it('is heard no more once it was refused', async () => {
    const victim = await Victim.open();
    await victim.hear(record(done, 0, 0));
    await victim.hear(record(done, waiting, 0));
    victim.transport.handlers.bytes(new Uint8Array(1 << 16));
    await nextTask();
    await victim.allSettled();
    expect(victim.endedBy).toMatch(/bad-request/);
  });

  it('that loses a device twice, or one that is none, has no effect', async () => {
    const victim = await Victim.open();
    const lost = events.find((event) => event.name === 'GPUDevice.lost')!.opcode;
    await victim.hear(record(lost, 0x7fff_ffff, 0, 0), record(lost, 0x40_0001, 0, 0), record(lost, 0x40_0001, 1, 0));
    expect(victim.transport.closes).toBe(0);
    expect((await victim.device.lost).message).toBe('');
    victim.leave();
    await victim.allSettled();
  });
});
