import { ConnectionError } from '@vesper-gpu/wire';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { socketPair } from '../test/pairs.ts';
import { pattern, receive, Received, turns } from '../test/received.ts';
import { socketTransport } from './socket.ts';

afterEach(() => {
  vi.useRealTimers();
});

describe('socketTransport', () => {
  it('ends with a ConnectionError when the connection is reset', async () => {
    const [a, b] = await socketPair('tcp');
    const atA = new Received(socketTransport(a));
    b.resetAndDestroy();
    const error = await atA.closedOnce;
    expect(error).toBeInstanceOf(ConnectionError);
    expect(error?.message).toMatch(/^the connection broke: .*ECONNRESET/);
    expect(error?.cause).toMatchObject({ code: 'ECONNRESET' });
    await turns();
    expect(atA.closings).toHaveLength(1);
  });

  it('reports a fault that came before start', async () => {
    const [a] = await socketPair('unix');
    const transport = socketTransport(a);
    a.destroy(new Error('broken for a test'));
    await turns();
    const error = await new Received(transport).closedOnce;
    expect(error).toBeInstanceOf(ConnectionError);
    expect(error?.message).toBe('the connection broke: broken for a test');
  });

  it('reports a socket that was closed before it was given', async () => {
    const [a] = await socketPair('unix');
    a.destroy();
    await turns();
    expect(await new Received(socketTransport(a)).closedOnce).toBeUndefined();
  });

  it.each(['unix', 'tcp'] as const)('drops what is sent behind the end of a peer (%s)', async (kind) => {
    const [a, b] = await socketPair(kind);
    const atA = new Received();
    const transport = socketTransport(a);
    let sent: boolean | undefined;
    a.on('end', () => {
      sent = transport.send(pattern(100));
    });
    transport.start(atA);
    b.resume().end();
    expect(await atA.closedOnce).toBeUndefined();
    expect(sent).toBe(true);
  });

  it('closes a socket that allows half-open connections when the peer ends', async () => {
    // The time limit, which would destroy it too, never comes.
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const [a, b] = await socketPair('unix');
    a.allowHalfOpen = true;
    const atA = new Received(socketTransport(a));
    b.resume().end();
    expect(await atA.closedOnce).toBeUndefined();
    expect(a.destroyed).toBe(true);
  });

  it('destroys the socket in bounded time when the peer does not read', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const [a, b] = await socketPair('unix');
    const transport = socketTransport(a);
    const atA = new Received(transport);
    transport.send(pattern(8 << 20));
    transport.close();
    await turns();
    vi.advanceTimersByTime(4999);
    await turns();
    expect(a.destroyed).toBe(false);
    vi.advanceTimersByTime(1);
    expect(await atA.closedOnce).toBeUndefined();
    expect(a.destroyed).toBe(true);
    b.destroy();
  });

  it('stays paused when Node resumes the socket, as it does for a child process that exits', async () => {
    const [a, b] = await socketPair('unix');
    const transport = socketTransport(a);
    const atA = receive(transport);
    transport.pause();
    b.write('held back');
    await turns();
    a.resume();
    await turns();
    expect(atA.byteLength).toBe(0);
    transport.resume();
    await atA.atLeast(9);
    b.resume();
    transport.close();
    await atA.closedOnce;
  });

  it('adds no listeners as it works', async () => {
    const [a, b] = await socketPair('unix');
    const transport = socketTransport(a);
    receive(transport);
    const peer = socketTransport(b);
    const atB = new Received(peer);
    const count = (): number => a.eventNames().reduce((sum, name) => sum + a.listenerCount(name), 0);
    const before = count();
    for (let i = 1; i <= 50; i++) {
      transport.pause();
      transport.send(pattern(100_000));
      transport.resume();
      await atB.atLeast(i * 100_000);
    }
    expect(count()).toBe(before);
    transport.close();
    await atB.closedOnce;
  });
});
