import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { availableParallelism, getPriority } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ProcessorGroups } from './processor-groups.ts';
import { ReservedProcessor } from './reserved-processor.ts';
import { findTools } from './sandbox.ts';
import { type Watched, Yielding } from './yielding.ts';

/** Computes all the time from `busy` on, now and then from `light` on, not at all from `idle` on. */
const PROGRAM = `
  let timer;
  const work = (ms) => { const until = Date.now() + ms; while (Date.now() < until); };
  process.stdin.on('data', (lines) => {
    clearInterval(timer);
    // The last: starting is busy, too, so that two may have come before the first was read.
    const line = String(lines).trim().split('\\n').at(-1);
    if (line === 'busy') timer = setInterval(work, 0, 20);
    if (line === 'light') timer = setInterval(work, 400, 20);
  });`;
const WAIT = { timeout: 20_000 };

const { taskset } = findTools(process.env['PATH']);
const none = new ReservedProcessor(undefined);
const hasGroups = ProcessorGroups.open() !== undefined;

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

function start(command: string, args: readonly string[]): ChildProcess {
  const child = spawn(command, args, { detached: true, stdio: ['pipe', 'ignore', 'inherit'] });
  children.push(child);
  return child;
}

/** The nice value of a session; `expected` where this kernel does not group by session. */
const autogroup = (pid: number, expected: string): string =>
  existsSync(`/proc/${pid}/autogroup`) ? readFileSync(`/proc/${pid}/autogroup`, 'utf8').trim() : expected;

/** Programs, the second of them behind what stays its parent, as bubblewrap does. */
const PROGRAMS: [string, string, string[]][] = [
  ['a program', process.execPath, ['-e', PROGRAM]],
  ['a program behind a wrapper', 'sh', ['-c', '"$0" "$@"; true', process.execPath, '-e', PROGRAM]],
];

/** Has one that uses little do something: the others yield to it. */
async function withLight(yielding: Yielding): Promise<Watched> {
  const { pid, stdin } = start(process.execPath, ['-e', PROGRAM]);
  const watched = yielding.add(pid!, true)!;
  yielding.started(watched);
  yielding.awaited(watched);
  stdin!.write('light\n');
  await vi.waitFor(() => expect(performance.now() - watched.lightSinceMs).toBeGreaterThan(1000), WAIT);
  await vi.waitFor(() => expect(watched.usedAtMs).toBeGreaterThan(0), WAIT);
  return watched;
}

/** Resolves once a wrapper has started its program. */
async function isWhole(command: string, pid: number): Promise<void> {
  if (command !== 'sh') return;
  await vi.waitFor(() => {
    if (readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8') === '') throw new Error('it starts');
  }, WAIT);
}

describe.skipIf(process.platform !== 'linux')('which executors yield', () => {
  it.each(PROGRAMS)('%s: those that keep a processor busy, until they do no more', async (_, command, args) => {
    const yielding = new Yielding(undefined, none);
    expect(yielding.means).toBe('by nice values');
    const light = await withLight(yielding);
    const child = start(command, args);
    const pid = child.pid!;
    const watched = yielding.add(pid, true)!;
    expect(watched.yields).toBe(false);
    await isWhole(command, pid);
    yielding.started(watched);
    child.stdin!.write('busy\n');
    await vi.waitFor(() => expect(watched.yields).toBe(true), WAIT);
    await vi.waitFor(() => expect(autogroup(pid, 'nice 19')).toMatch(/nice 19$/), WAIT);
    child.stdin!.write('idle\n');
    await vi.waitFor(() => expect(watched.yields).toBe(false), WAIT);
    await vi.waitFor(() => expect(autogroup(pid, 'nice 0')).toMatch(/nice 0$/), WAIT);
    // Whoever may not raise a priority tries with one step of the first, and then leaves all alone; who may puts them back.
    for (const thread of readdirSync(`/proc/${pid}/task`))
      expect(getPriority(Number(thread))).toBeLessThanOrEqual(getPriority() + 1);
    yielding.remove(watched);
    yielding.remove(light);
  });

  it('one that is busy by itself does not: the rest of the machine would starve it', async () => {
    const yielding = new Yielding(undefined, none);
    const child = start(process.execPath, ['-e', PROGRAM]);
    const watched = yielding.add(child.pid!, true)!;
    yielding.started(watched);
    child.stdin!.write('busy\n');
    await vi.waitFor(() => expect(watched.isBusy).toBe(true), WAIT);
    const light = await withLight(yielding);
    await vi.waitFor(() => expect(watched.yields).toBe(true), WAIT);
    yielding.remove(light);
    await vi.waitFor(() => expect(watched.yields).toBe(false), WAIT);
    yielding.remove(watched);
  });

  it('none where only a spare does something', async () => {
    const yielding = new Yielding(undefined, none);
    const [spare, busy] = [start(process.execPath, ['-e', PROGRAM]), start(process.execPath, ['-e', PROGRAM])];
    const [watchedSpare, watchedBusy] = [spare, busy].map(({ pid }) => {
      const watched = yielding.add(pid!, true)!;
      yielding.started(watched);
      return watched;
    });
    spare.stdin!.write('light\n');
    busy.stdin!.write('busy\n');
    const since = performance.now();
    await vi.waitFor(() => expect(watchedSpare!.usedAtMs).toBeGreaterThan(since + 1500), WAIT);
    expect([watchedBusy!.isBusy, watchedBusy!.yields, yielding.isOneActive]).toEqual([true, false, false]);
    for (const watched of [watchedSpare!, watchedBusy!]) yielding.remove(watched);
  });

  it('one that nobody waits for, until somebody does', async () => {
    const yielding = new Yielding(undefined, none);
    const light = await withLight(yielding);
    await vi.waitFor(() => expect(yielding.isOneActive).toBe(true), WAIT);
    const { pid } = start(process.execPath, ['-e', PROGRAM]);
    const watched = yielding.add(pid!, false)!;
    expect(watched.yields).toBe(true);
    yielding.awaited(watched);
    expect(watched.yields).toBe(false);
    for (const one of [watched, light]) yielding.remove(one);
  });

  it.skipIf(!hasGroups).each(PROGRAMS)('%s: in a control group, which goes with it', async (_, command, args) => {
    const groups = ProcessorGroups.open()!;
    const add = vi.spyOn(groups, 'add');
    const yielding = new Yielding(groups, none);
    expect(yielding.means).toBe('by control groups');
    const light = await withLight(yielding);
    const child = start(command, args);
    const pid = child.pid!;
    const watched = yielding.add(pid, true)!;
    await isWhole(command, pid);
    yielding.started(watched);
    const { path } = add.mock.results.at(-1)!.value as { path: string };
    const text = (name: string) => readFileSync(join(path, name), 'utf8').trim();
    expect(text('cgroup.procs').split('\n').map(Number)).toContain(pid);
    expect(text('cgroup.procs').split('\n')).toHaveLength(command === 'sh' ? 2 : 1);
    child.stdin!.write('busy\n');
    await vi.waitFor(() => expect(text('cpu.idle')).toBe('1'), WAIT);
    child.stdin!.write('idle\n');
    await vi.waitFor(() => expect(text('cpu.idle')).toBe('0'), WAIT);
    child.kill('SIGKILL');
    for (const one of [watched, light]) yielding.remove(one);
    // The kernel may hold it a little longer, and what was left in it.
    await vi.waitFor(() => expect(existsSync(path)).toBe(false), WAIT);
  });

  it.skipIf(!hasGroups)('groups of brokers that are gone are removed, those of others are not', () => {
    const groups = ProcessorGroups.open()!;
    const own = groups.add([])!;
    const gone = start('true', []);
    const stale = join(dirname(own.path), `vesper-${gone.pid}-1`);
    mkdirSync(stale);
    return new Promise<void>((resolve) => gone.once('exit', () => resolve())).then(() => {
      ProcessorGroups.open();
      expect([existsSync(own.path), existsSync(stale)]).toEqual([true, false]);
      groups.remove(own);
      expect(existsSync(own.path)).toBe(false);
    });
  });

  it.skipIf(taskset === undefined || availableParallelism() < 2)(
    'while one that uses little does something, the others keep off a processor',
    async () => {
      const yielding = new Yielding(undefined, new ReservedProcessor(taskset));
      expect(yielding.means).toBe('by nice values, and keeping off one processor');
      expect(yielding.prefix).toEqual([]);
      const [light, busy] = [start(process.execPath, ['-e', PROGRAM]), start(process.execPath, ['-e', PROGRAM])];
      const allowed = (pid: number | 'self') =>
        /^Cpus_allowed_list:\s*(\S+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]!;
      const [watchedLight, watchedBusy] = [light, busy].map(({ pid }) => {
        const watched = yielding.add(pid!, true)!;
        yielding.started(watched);
        yielding.awaited(watched);
        return watched;
      });
      busy.stdin!.write('busy\n');
      await vi.waitFor(() => expect(watchedBusy!.isBusy).toBe(true), WAIT);
      expect(allowed(busy.pid!)).toBe(allowed('self'));
      light.stdin!.write('light\n');
      await vi.waitFor(() => expect(allowed(busy.pid!)).not.toBe(allowed('self')), WAIT);
      expect(yielding.prefix).toEqual([taskset, '-c', expect.stringMatching(/^\d+(,\d+)*$/)]);
      expect(allowed(light.pid!)).toBe(allowed('self'));
      yielding.remove(watchedLight!);
      await vi.waitFor(() => expect(allowed(busy.pid!)).toBe(allowed('self')), WAIT);
      yielding.remove(watchedBusy!);
    },
  );

  it('a process that has ended is no error', async () => {
    const yielding = new Yielding(ProcessorGroups.open(), new ReservedProcessor(taskset));
    const child = start(process.execPath, ['-e', '']);
    const pid = child.pid!;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    const gone = yielding.add(pid, true)!;
    await ended;
    yielding.started(gone);
    const other = yielding.add(start(process.execPath, ['-e', PROGRAM]).pid!, true)!;
    yielding.started(other);
    await vi.waitFor(() => expect(other.seenAtMs).toBeGreaterThan(0), WAIT);
    expect([gone.yields, other.yields]).toEqual([false, false]);
    for (const watched of [gone, other]) yielding.remove(watched);
  });
});
