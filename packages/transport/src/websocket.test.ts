import { mkdtempSync, rmSync } from 'node:fs';
import { get, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConnectionError, type Transport } from '@vesper-gpu/wire';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { pattern, receive, Received, turns } from '../test/received.ts';
import { resolvers } from '../test/resolvers.ts';
import { listen } from './listen.ts';
import { listenWebSocket, type WebSocketListenOptions } from './websocket-listen.ts';
import {
  MAX_MESSAGE_BYTES,
  openWebSocket,
  webSocketTransport,
  type WebSocketEvent,
  type WebSocketLike,
} from './websocket.ts';

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp();
});

/** A listener, its URL, and what became of who came. */
async function start(options: Partial<WebSocketListenOptions> = {}, address = 'tcp:127.0.0.1:0') {
  const accepted = resolvers<Transport>();
  const refusals: string[] = [];
  const listener = await listenWebSocket(address, {
    connection: accepted.resolve,
    refused: (_, why) => void refusals.push(why),
    ...options,
  });
  cleanUps.push(() => listener.close());
  const kind = listener.address.slice(0, listener.address.indexOf(':'));
  const rest = listener.address.slice(kind.length + 1);
  return { url: kind === 'tcp' ? `ws://${rest}` : `ws+unix:${rest}`, accepted: accepted.promise, refusals };
}

/** A client as `ws` makes them; it ends with the test. */
function client(url: string, origin?: string): WebSocket {
  const socket = new WebSocket(url, origin === undefined ? {} : { origin });
  cleanUps.push(() => socket.terminate());
  return socket;
}

/** What a server answers to who wants a WebSocket: "open", or the status of a refusal. */
function answer(socket: WebSocket): Promise<string | number> {
  return new Promise((resolve) => {
    socket.on('open', () => resolve('open'));
    socket.on('unexpected-response', (_, response) => resolve(response.statusCode ?? 0));
    socket.on('error', (error) => resolve(error.message));
  });
}

describe('listenWebSocket', () => {
  it.each([
    ['a page, by default', [], 'https://example.com', 403],
    ['a page of another origin', ['https://example.com'], 'https://example.org', 403],
    ['a page of another port', ['http://localhost:5173'], 'http://localhost:5174', 403],
    ['a page without an origin of its own', ['https://example.com'], 'null', 403],
    ['an origin that begins like one that is allowed', ['https://example.com'], 'https://example.com.evil.org', 403],
    [
      'a page of an origin that is allowed',
      ['https://example.org', 'https://example.com'],
      'https://example.com',
      'open',
    ],
    ['what is no browser', [], undefined, 'open'],
  ])('answers %s', async (_, allowedOrigins, origin, expected) => {
    const { url, refusals } = await start({ allowedOrigins });
    expect(await answer(client(url, origin))).toBe(expected);
    const refusal = `a page of "${origin}" asked, and that origin is not allowed`;
    expect(refusals).toEqual(expected === 403 ? [refusal] : []);
  });

  it('refuses more connections than it may have, until one has left', async () => {
    const { url, refusals } = await start({ maxConnections: 1, connection: (transport) => void receive(transport) });
    const first = client(url);
    expect(await answer(first)).toBe('open');
    expect(await answer(client(url))).toBe(503);
    expect(refusals).toEqual(['1 connections are open, and no more are allowed']);
    const left = new Promise((resolve) => first.on('close', resolve));
    first.close();
    await left;
    await turns();
    expect(await answer(client(url))).toBe('open');
  });

  it('has the connection that has asked for nothing for the longest make room for others', async () => {
    const { url } = await start({ connection: (transport) => void receive(transport) });
    const port = Number(new URL(url).port);
    const silent = Array.from({ length: 257 }, () => connect(port, '127.0.0.1'));
    cleanUps.push(() => silent.forEach((socket) => socket.destroy()));
    await new Promise((resolve) => silent[0]!.resume().on('close', resolve));
    expect(await answer(client(url))).toBe('open');
  });

  it('tells a browser that it speaks WebSocket', async () => {
    const { url } = await start();
    const response = await new Promise<IncomingMessage>((resolve) => get(url.replace('ws:', 'http:'), resolve));
    expect(response.statusCode).toBe(426);
    expect(response.headers.upgrade).toBe('websocket');
    response.resume();
  });

  it('listens at a Unix socket, for a proxy', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'vesper-websocket-'));
    cleanUps.push(() => rmSync(folder, { recursive: true }));
    const { url, accepted } = await start({}, `unix:${join(folder, 'proxied')}`);
    const socket = client(url);
    expect(await answer(socket)).toBe('open');
    const atHost = new Received(await accepted);
    socket.send(pattern(10));
    await atHost.atLeast(10);
  });

  it('ends a connection that sends text, and delivers nothing behind it', async () => {
    const { url, accepted } = await start();
    const socket = client(url);
    await answer(socket);
    socket.send('{}');
    socket.send(pattern(10));
    const atHost = new Received(await accepted);
    const error = await atHost.closedOnce;
    expect(error).toBeInstanceOf(ConnectionError);
    expect(error?.message).toBe('the connection broke: the other side sent text, which no Vesper does');
    expect(atHost.byteLength).toBe(0);
  });

  it('ends a connection whose message is too large', async () => {
    const { url, accepted } = await start();
    const socket = client(url);
    await answer(socket);
    socket.send(pattern(MAX_MESSAGE_BYTES + 4));
    const error = await new Received(await accepted).closedOnce;
    expect(error).toBeInstanceOf(ConnectionError);
    expect(error?.message).toBe('the connection broke: Max payload size exceeded');
  });

  it('reports a connection that ended without a word', async () => {
    const { url, accepted } = await start();
    const socket = client(url);
    await answer(socket);
    const atHost = new Received(await accepted);
    socket.terminate();
    const error = await atHost.closedOnce;
    expect(error).toBeInstanceOf(ConnectionError);
    expect(error?.message).toBe('the connection broke: it ended without being closed');
  });
});

/** A WebSocket as browsers have it: it cannot stop reading, and does not say when it has sent something. */
class BrowserWebSocket implements WebSocketLike {
  readonly #socket: WebSocket;

  constructor(url: string) {
    this.#socket = client(url);
  }

  get binaryType(): string {
    return this.#socket.binaryType;
  }

  set binaryType(value: string) {
    this.#socket.binaryType = value as 'arraybuffer';
  }

  get readyState(): number {
    return this.#socket.readyState;
  }

  get bufferedAmount(): number {
    return this.#socket.bufferedAmount;
  }

  send(data: Uint8Array<ArrayBuffer>): void {
    this.#socket.send(data);
  }

  close(code?: number): void {
    this.#socket.close(code);
  }

  addEventListener(type: 'open' | 'message' | 'error' | 'close', listener: (event: WebSocketEvent) => void): void {
    this.#socket.addEventListener(type as 'message', listener);
  }
}

describe('a WebSocket of a browser', () => {
  it('keeps what arrives before the start and while paused, and the end behind it', async () => {
    const { url, accepted } = await start();
    const transport = await openWebSocket(url, { WebSocket: BrowserWebSocket });
    const host = await accepted;
    receive(host);
    host.send(pattern(3_000_000));
    await turns();
    const atGuest = new Received();
    atGuest.onBytes = () => transport.pause();
    transport.start(atGuest);
    await atGuest.atLeast(1);
    host.close();
    await turns();
    expect([atGuest.calls, atGuest.closings]).toEqual([1, []]);
    atGuest.onBytes = undefined;
    transport.resume();
    expect(await atGuest.closedOnce).toBeUndefined();
    expect(atGuest.content.equals(pattern(3_000_000))).toBe(true);
  });

  it('has its sender wait while the other side does not read, and go on when it does', async () => {
    const { url, accepted } = await start();
    const transport = await openWebSocket(url, { WebSocket: BrowserWebSocket });
    const atGuest = new Received(transport);
    const host = await accepted;
    const atHost = new Received(host);
    host.pause();
    let sent = 1 << 20;
    while (transport.send(pattern(1 << 20))) {
      sent += 1 << 20;
      await turns(2);
      expect(sent).toBeLessThan(64 << 20);
    }
    host.resume();
    await atGuest.drainedOnce();
    await atHost.atLeast(sent);
    expect(atGuest.drainedCalls).toBe(1);
    transport.close();
    await atHost.closedOnce;
  });
});

describe('webSocketTransport', () => {
  it('divides what is larger than a message may be', async () => {
    const { url, accepted } = await start();
    const socket = client(url);
    await answer(socket);
    const sizes: number[] = [];
    socket.on('message', (data: Buffer) => void sizes.push(data.byteLength));
    const ended = new Promise((resolve) => socket.on('close', resolve));
    const host = await accepted;
    host.send(pattern(2 * MAX_MESSAGE_BYTES + 12));
    host.close();
    await ended;
    expect(sizes).toEqual([MAX_MESSAGE_BYTES, MAX_MESSAGE_BYTES, 12]);
  });

  it('can be made of a socket that is open already', async () => {
    const { url, accepted } = await start();
    const socket = client(url);
    await answer(socket);
    const transport = webSocketTransport(socket);
    const atGuest = new Received(transport);
    const host = await accepted;
    receive(host);
    host.send(pattern(100));
    await atGuest.atLeast(100);
    transport.close();
    expect(await atGuest.closedOnce).toBeUndefined();
  });
});

describe('openWebSocket', () => {
  const messageOf = async (url: string, options = {}): Promise<string> => {
    const error: unknown = await openWebSocket(url, { WebSocket, ...options }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ConnectionError);
    return (error as ConnectionError).message;
  };

  it('says where nobody listens, and what should', async () => {
    const listener = await listenWebSocket('tcp:127.0.0.1:0', { connection() {} });
    const url = listener.address.replace('tcp:', 'ws://');
    await listener.close();
    expect(await messageOf(url)).toMatch(
      /^cannot connect to ws:\/\/127\.0\.0\.1:\d+: connect ECONNREFUSED .*; a `vesper gateway` should listen there/,
    );
  });

  it('says that it was refused', async () => {
    const { url } = await start({ maxConnections: 0 });
    expect(await messageOf(url)).toContain('Unexpected server response: 503');
  });

  it('waits no longer than it may', async () => {
    const listener = await listen('tcp:127.0.0.1:0', { connection: (socket) => void socket.resume() });
    cleanUps.push(() => listener.close());
    const url = listener.address.replace('tcp:', 'ws://');
    expect(await messageOf(url, { timeoutMs: 1 })).toContain('nothing answered in time');
  });

  it('refuses what is no URL of a WebSocket', async () => {
    expect(await messageOf('http://127.0.0.1:1')).toBe(
      '"http://127.0.0.1:1" is no address of a WebSocket: give ws://HOST:PORT, or wss:// for TLS',
    );
  });
});
