import { expect, it, vi } from 'vitest';
import { oneBufferPair } from '../test/pairs.ts';
import { pattern, receive, Received, turns } from '../test/received.ts';
import { inProcessPair } from './in-process.ts';
import { relay } from './relay.ts';
import { HIGH_WATER_BYTES } from './water-marks.ts';

function relayed() {
  const [a, toA] = inProcessPair();
  const [b, toB] = inProcessPair();
  return { a, b, ended: relay(toA, toB) };
}

it('passes bytes on both ways, and the end of either side', async () => {
  const { a, b, ended } = relayed();
  const [atA, atB] = [new Received(a), new Received(b)];
  a.send(pattern(1000, 1));
  b.send(pattern(2000, 2));
  await Promise.all([atB.atLeast(1000), atA.atLeast(2000)]);
  expect(atB.content.equals(pattern(1000, 1))).toBe(true);
  expect(atA.content.equals(pattern(2000, 2))).toBe(true);
  a.send(pattern(10));
  a.close();
  expect(await atB.closedOnce).toBeUndefined();
  expect(atB.byteLength).toBe(1010);
  await ended;
  expect(await atA.closedOnce).toBeUndefined();
});

it('has one side wait while the other does not read', async () => {
  const { a, b, ended } = relayed();
  const [atA, atB] = [new Received(a), new Received(b)];
  b.pause();
  let sent = 0;
  for (let goesOn = true; goesOn; sent += 1 << 20) {
    goesOn = a.send(pattern(1 << 20, sent));
    await turns(4);
    expect(sent).toBeLessThan(4 * HIGH_WATER_BYTES);
  }
  b.resume();
  await atA.drainedOnce();
  await atB.atLeast(sent);
  a.close();
  await ended;
});

it('passes on what a socket reads into one buffer, to one that reads slowly', async () => {
  const [host, toHost] = await oneBufferPair('unix');
  const [page, toPage] = inProcessPair();
  const ended = relay(toPage, toHost);
  const atPage = new Received(page);
  receive(host);
  page.pause();
  const sent = pattern(8 << 20, 3);
  host.send(sent.slice());
  await turns(50);
  page.resume();
  await atPage.atLeast(sent.byteLength);
  expect(atPage.content.equals(sent)).toBe(true);
  page.close();
  await ended;
});

it('ends where the first side says nothing in time, and not where it has spoken', async () => {
  const [silent, toSilent] = inProcessPair();
  const [host, toHost] = inProcessPair();
  const atSilent = new Received(silent);
  const atHost = new Received(host);
  await relay(toSilent, toHost, 1);
  expect(await atSilent.closedOnce).toBeUndefined();
  expect(await atHost.closedOnce).toBeUndefined();

  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  try {
    const [page, toPage] = inProcessPair();
    const [other, toOther] = inProcessPair();
    const ended = relay(toPage, toOther, 10_000);
    const atOther = new Received(other);
    page.send(pattern(10, 1));
    await atOther.atLeast(10);
    vi.advanceTimersByTime(60_000);
    page.send(pattern(10, 1));
    await atOther.atLeast(20);
    page.close();
    await ended;
  } finally {
    vi.useRealTimers();
  }
});
