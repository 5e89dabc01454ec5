import { connect } from '@vesper-gpu/guest';
import { openWebSocket } from '@vesper-gpu/transport/websocket';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { startGatewayedHost, type GatewayedHost } from './gateway.mjs';

const ORIGIN = 'https://example.com';

/** A WebSocket that says which page it is of. */
function ofPage(origin: string) {
  return class extends WebSocket {
    constructor(url: string) {
      super(url, { origin });
    }
  };
}

describe('vesper gateway', () => {
  let host: GatewayedHost;
  beforeAll(async () => {
    host = await startGatewayedHost(ORIGIN);
  });
  afterAll(() => host.close());

  it('gives a page of an origin that is allowed the GPU of the host, a large transfer included', async () => {
    const { gpu, globals, close } = await connect(await openWebSocket(host.url, { WebSocket: ofPage(ORIGIN) }));
    const { GPUBufferUsage, GPUMapMode } = globals as unknown as typeof globalThis;
    const device = await (await gpu.requestAdapter())!.requestDevice();
    const data = new Uint32Array(2 << 20).map((_, i) => Math.imul(i, 0x9e3779b1));
    const buffer = device.createBuffer({
      size: data.byteLength,
      usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ,
    });
    device.queue.writeBuffer(buffer, 0, data);
    await buffer.mapAsync(GPUMapMode.READ);
    expect(Buffer.from(buffer.getMappedRange()).equals(Buffer.from(data.buffer))).toBe(true);
    await close();
  });

  it('refuses a page of another origin', async () => {
    const opening = openWebSocket(host.url, { WebSocket: ofPage('https://example.org') });
    await expect(opening).rejects.toThrow('Unexpected server response: 403');
  });

  it('lets go of who is connected when it is told to end', async () => {
    const { gpu, ended } = await connect(await openWebSocket(host.url, { WebSocket: ofPage(ORIGIN) }));
    const device = await (await gpu.requestAdapter())!.requestDevice();
    await host.close();
    await ended;
    expect((await device.lost).reason).toBe('unknown');
  });
});
