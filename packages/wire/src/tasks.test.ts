import { describe, expect, it } from 'vitest';
import { TaskQueue } from './tasks.ts';

/** A task that notes its name, and then again three promise reactions later. */
function noting(log: string[], name: string): () => void {
  return () => {
    log.push(name);
    void Promise.resolve()
      .then(() => {})
      .then(() => {})
      .then(() => log.push(`${name} reactions`));
  };
}

async function idle(queue: TaskQueue): Promise<void> {
  await new Promise<void>((resolve) => queue.push(resolve));
}

describe('TaskQueue', () => {
  it('runs tasks in order, the reactions of one before the next', async () => {
    const log: string[] = [];
    const queue = new TaskQueue();
    for (const name of ['a', 'b', 'c']) queue.push(noting(log, name));
    expect(log).toEqual([]);
    await idle(queue);
    expect(log).toEqual(['a', 'a reactions', 'b', 'b reactions', 'c', 'c reactions']);
  });

  it('runs the first of a task at once, and the others in tasks of their own', async () => {
    const log: string[] = [];
    const queue = new TaskQueue();
    for (const name of ['a', 'b', 'c']) queue.runOrPush(noting(log, name));
    expect(log).toEqual(['a']);
    await idle(queue);
    expect(log).toEqual(['a', 'a reactions', 'b', 'b reactions', 'c', 'c reactions']);
  });

  it('runs at once again in a later task, but never past one that waits', async () => {
    const log: string[] = [];
    const queue = new TaskQueue();
    queue.runOrPush(noting(log, 'a'));
    await new Promise((resolve) => setImmediate(resolve));
    queue.runOrPush(noting(log, 'b'));
    expect(log).toEqual(['a', 'a reactions', 'b']);
    queue.push(noting(log, 'c'));
    await Promise.resolve();
    queue.runOrPush(noting(log, 'd'));
    expect(log.at(-1)).not.toBe('d');
    await idle(queue);
    expect(log.filter((name) => name.length === 1)).toEqual(['a', 'b', 'c', 'd']);
  });

  it('goes on behind a task that throws', async () => {
    const log: string[] = [];
    const queue = new TaskQueue();
    expect(() =>
      queue.runOrPush(() => {
        throw new Error('thrown at once');
      }),
    ).toThrow('thrown at once');
    queue.push(noting(log, 'b'));
    await idle(queue);
    expect(log).toContain('b');
  });

  it('takes tasks from within a task', async () => {
    const log: string[] = [];
    const queue = new TaskQueue();
    queue.push(() => {
      log.push('outer');
      queue.push(() => log.push('inner'));
      log.push('outer ends');
    });
    queue.push(() => log.push('second'));
    await idle(queue);
    await idle(queue);
    expect(log).toEqual(['outer', 'outer ends', 'second', 'inner']);
  });
});
