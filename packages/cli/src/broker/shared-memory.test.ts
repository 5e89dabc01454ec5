import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openTransport } from '@vesper-gpu/transport';
import { HelloReader, parseHostHello, type Transport } from '@vesper-gpu/wire';
import { describe, expect, it } from 'vitest';
import {
  eventually,
  fakeDriver,
  guestHello,
  innermostProcess,
  temporaryFolder,
  TestBroker,
} from '../../test/test-broker.ts';

const executorFile = fileURLToPath(new URL('../../test/memory-executor.mjs', import.meta.url));

/** A broker where guests share memory with executors that echo. */
async function start(maxGuests = 64): Promise<TestBroker> {
  const test = await TestBroker.start('unix', {
    executorFile,
    chosenDriver: fakeDriver(),
    listen: [`shm:${join(temporaryFolder(), 'gpu')}`],
    maxGuests,
  });
  return test;
}

/** A guest, and what it received until now. */
async function guest(test: TestBroker): Promise<{ transport: Transport; bytes: () => Buffer; closed: Promise<void> }> {
  const transport = await openTransport(test.broker.addresses[0]!);
  const chunks: Buffer[] = [];
  const closed = new Promise<void>((resolve, reject) => {
    transport.start({
      bytes: (chunk) => void chunks.push(Buffer.from(chunk)),
      closed: (error) => (error === undefined ? resolve() : reject(error)),
    });
  });
  transport.send(Uint8Array.from(guestHello()));
  return { transport, bytes: () => Buffer.concat(chunks), closed };
}

describe.runIf(process.platform === 'linux')('a guest at shm:PATH', () => {
  it('shares memory with its executor, whatever that is kept from', async () => {
    const test = await start();
    const { transport, bytes, closed } = await guest(test);
    const sent = Buffer.alloc(5_000_000);
    for (let i = 0; i < sent.byteLength; i++) sent[i] = (i * 7919) >>> 5;
    for (let at = 0; at < sent.byteLength; at += 70_001)
      transport.send(Uint8Array.from(sent.subarray(at, at + 70_001)));
    await eventually('the echo', () => (bytes().byteLength === sent.byteLength ? true : undefined));
    expect(bytes().equals(sent)).toBe(true);
    transport.close();
    await closed;
    await eventually('a report', () => test.reports[0]);
    // Only what came behind the hello, and none of it through the broker.
    expect(test.reports).toMatchObject([{ reason: 'closed', agent: 'test guest' }]);
  });

  it('is told what became of its executor', async () => {
    const test = await start();
    const { transport, bytes, closed } = await guest(test);
    transport.send(Uint8Array.from(Buffer.from('ping')));
    await eventually('the echo', () => (bytes().byteLength === 4 ? true : undefined));
    const { pid } = await test.logged(/guest 1 connected/);
    process.kill(innermostProcess(Number(pid)), 'SIGKILL');
    await closed;
    expect(bytes().subarray(0, 4).toString()).toBe('ping');
    expect(bytes().subarray(4).toString()).toContain("the host's process for this session was ended by SIGKILL");
  });

  it('is told why it is not served', async () => {
    const test = await start(1);
    const first = await guest(test);
    first.transport.send(Uint8Array.from(Buffer.from('ping')));
    await eventually('the echo', () => (first.bytes().byteLength === 4 ? true : undefined));
    const second = await guest(test);
    await second.closed;
    const hello = new HelloReader('host').push(second.bytes());
    expect(parseHostHello(hello!.fields).refusal).toMatch(/this host serves 1 guests at a time/);
    first.transport.close();
    await first.closed;
  });
});
