import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Yielding } from './yielding.ts';

/** Computes from `busy` to `idle`, as its input says. */
const PROGRAM = `
  let timer;
  const work = () => { const until = Date.now() + 20; while (Date.now() < until); };
  process.stdin.on('data', (line) => {
    clearInterval(timer);
    if (String(line).startsWith('busy')) timer = setInterval(work, 0);
  });`;
const WAIT = { timeout: 20_000 };

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

describe.skipIf(process.platform !== 'linux')('which executors yield', () => {
  it.each([
    ['a program', process.execPath, ['-e', PROGRAM]],
    // As bubblewrap does, it stays the parent.
    ['a program behind a wrapper', 'sh', ['-c', '"$0" "$@"; true', process.execPath, '-e', PROGRAM]],
  ])('%s: those that keep a processor busy, until they do no more', async (_, command, args) => {
    const yielding = new Yielding();
    const child = start(command, args);
    const pid = child.pid!;
    yielding.add(pid);
    expect(yielding.yields(pid)).toBe(false);
    if (command === 'sh') {
      await vi.waitFor(() => {
        if (readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8') === '') throw new Error('it starts');
      }, WAIT);
    }
    yielding.started(pid);
    child.stdin!.write('busy\n');
    await vi.waitFor(() => expect(yielding.yields(pid)).toBe(true), WAIT);
    await vi.waitFor(() => expect(autogroup(pid, 'nice 19')).toMatch(/nice 19$/), WAIT);
    child.stdin!.write('idle\n');
    await vi.waitFor(() => expect(yielding.yields(pid)).toBe(false), WAIT);
    await vi.waitFor(() => expect(autogroup(pid, 'nice 0')).toMatch(/nice 0$/), WAIT);
    // Whoever may not raise a priority tries with one step of the first, and then leaves all alone; who may puts them back.
    for (const thread of readdirSync(`/proc/${pid}/task`))
      expect(getPriority(Number(thread))).toBeLessThanOrEqual(getPriority() + 1);
    yielding.remove(pid);
    expect(yielding.yields(pid)).toBe(false);
  });

  it('a process that has ended is no error', async () => {
    const yielding = new Yielding();
    const child = start(process.execPath, ['-e', '']);
    const pid = child.pid!;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    yielding.add(pid);
    await ended;
    yielding.started(pid);
    const other = start(process.execPath, ['-e', PROGRAM]);
    yielding.add(other.pid!);
    yielding.started(other.pid!);
    await vi.waitFor(() => expect(yielding.yields(other.pid!)).toBe(false), WAIT);
    yielding.remove(pid);
    yielding.remove(other.pid!);
  });
});
