import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { ProcessorGroups } from './processor-groups.ts';
import { guestHello, temporaryFolder, TestBroker } from '../../test/test-broker.ts';

/** An executor that gets ready, and does `attack` once it has its guest's socket. `all` writes all of some bytes. */
function executorThat(attack: string, before = ''): string {
  const file = join(temporaryFolder(), 'executor.mjs');
  writeFileSync(
    file,
    `import { writeSync } from 'node:fs';
    import { spawn } from 'node:child_process';
    const all = (fd, data) => {
      let bytes = Buffer.from(data);
      while (bytes.length > 0) {
        try {
          bytes = bytes.subarray(writeSync(fd, bytes));
        } catch (error) {
          if (error.code !== 'EAGAIN') return;
        }
      }
    };
    process.on('message', async (assignment, socket) => {
      ${attack}
      socket.write('done');
    });
    process.on('error', () => {});
    setInterval(() => {}, 1000);
    ${before}
    writeSync(5, '{"type":"ready"}\\n');`,
  );
  return file;
}

async function attacked(attack: string, before?: string) {
  const test = await TestBroker.start('unix', { executorFile: executorThat(attack, before) });
  const client = await test.connect();
  client.socket.write(guestHello());
  return { test, client };
}

/** What Node makes something of, or fails at, on a channel of its own. */
const LINES: readonly (readonly [string, string])[] = [
  ['no JSON', 'this is no JSON\n'],
  [
    'an acknowledgement of nothing',
    '{"cmd":"NODE_HANDLE_ACK"}\n{"cmd":"NODE_HANDLE_NACK"}\n{"cmd":"NODE_HANDLE_ACK"}\n',
  ],
  ['a handle that is none', '{"cmd":"NODE_HANDLE","type":"nonsense"}\n'],
  ['something internal', '{"cmd":"NODE_X"}\n'],
  ['the count of sockets', '{"cmd":"NODE_SOCKET_COUNT","count":-1}\n'],
  ['null', 'null\n'],
  ['depth', `${'['.repeat(100_000)}\n`],
];

describe('a compromised executor', () => {
  it.each(LINES)('cannot end this process with %s, on any descriptor', async (_, line) => {
    const data = JSON.stringify(line);
    const write = `for (const fd of [3, 4, 5, 1, 2]) try { writeSync(fd, ${data}); } catch {}`;
    const { test, client } = await attacked(write, write);
    expect((await client.received(4)).toString()).toBe('done');
    expect(test.broker.guestCount).toBe(1);
    await test.broker.close();
    expect(test.broker.guestCount).toBe(0);
  });

  it.each([1, 2, 4, 5])('cannot fill this process through descriptor %i', async (fd) => {
    const { test, client } = await attacked(`for (;;) all(${fd}, Buffer.alloc(1 << 20, 'x'));`);
    const before = process.memoryUsage().rss;
    await client.closed;
    await test.logged(/^guest 1 was dropped: its process sent more than \d+ (characters|pieces) in a second/);
    expect(test.reports).toMatchObject([{ guest: 1, reason: 'watchdog' }]);
    expect(process.memoryUsage().rss - before).toBeLessThan(200 * 2 ** 20);
  });

  it.each([1, 2, 4, 5])('cannot keep this process busy through descriptor %i', async (fd) => {
    const { test, client } = await attacked(`for (;;) all(${fd}, '{"type":"beat"}\\n'.repeat(4096));`);
    await client.closed;
    await test.logged(/^guest 1 was dropped: its process sent more than \d+ (lines|messages|characters) in a second/);
    expect(test.broker.guestCount).toBe(0);
  });

  it('reaches nobody through the descriptor that its guest came by', async () => {
    const limits = { watch: { hangMs: 1000 } };
    const file = executorThat("for (;;) all(3, Buffer.alloc(1 << 20, 'x'));", "writeSync(3, 'x'.repeat(50_000));");
    const test = await TestBroker.start('unix', { executorFile: file, ...limits });
    const client = await test.connect();
    const before = process.memoryUsage().rss;
    client.socket.write(guestHello());
    await client.closed;
    expect(process.memoryUsage().rss - before).toBeLessThan(200 * 2 ** 20);
    expect(test.broker.guestCount).toBe(0);
  });

  it('cannot hold this process up with what it started', async () => {
    const { test, client } = await attacked(
      `spawn('setsid', ['sleep', '20'], { stdio: [0, 1, 2, 3, 4, 5], detached: true });
      setTimeout(() => process.exit(7), 300);`,
    );
    const startedMs = performance.now();
    await client.closed;
    await test.logged(/^guest 1 was dropped: its executor ended with status 7/);
    await test.broker.close();
    expect(performance.now() - startedMs).toBeLessThan(10_000);
    expect(test.broker.guestCount).toBe(0);
  });

  it.skipIf(ProcessorGroups.open() === undefined)(
    'leaves nothing running, not even in a session of its own',
    async () => {
      const started = () =>
        readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && commandOf(pid) === 'sleep\x0020.375\0');
      const { test, client } = await attacked(
        `spawn('setsid', ['sleep', '20.375'], { stdio: 'ignore', detached: true });
      setTimeout(() => process.exit(7), 300);`,
      );
      await vi.waitFor(() => expect(started()).toHaveLength(1));
      await client.closed;
      await test.broker.close();
      await vi.waitFor(() => expect(started()).toEqual([]));
    },
  );
});

/** What a process was started with; empty once it is gone. */
function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}
