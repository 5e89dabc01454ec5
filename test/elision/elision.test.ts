/// <reference types="@webgpu/types" />
import { connect, type GuestConnection } from '@vesper-gpu/guest';
import { openTransport } from '@vesper-gpu/transport';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Random } from '../golden/random.ts';
import { startHost, type Host } from '../semantics/fixture/host.ts';
import { makeScene, run, type Scene } from './program.ts';
import { reselecting } from './reselect.ts';

/**
 * A command that sets what is set already is neither sent nor executed. Nobody can tell: not by an error, not by a pixel.
 * On the real driver, which judges and draws.
 */
const PROGRAMS = 300;

describe('state that is set to what it is', () => {
  let host: Host;
  const connections: GuestConnection[] = [];
  beforeAll(async () => {
    host = await startHost();
  });
  afterAll(async () => {
    for (const connection of connections) await connection.close();
    await host.stop();
  });

  async function sceneOf(sendsRepeated: boolean, isReselecting: boolean): Promise<Scene> {
    const transport = await openTransport(host.address);
    const connection = await connect(isReselecting ? reselecting(transport) : transport, { sendsRepeated });
    connections.push(connection);
    const adapter = await connection.gpu.requestAdapter();
    return makeScene(await adapter!.requestDevice());
  }

  it('changes nothing that a program can see', async () => {
    const all = await sceneOf(true, true);
    const onHost = await sceneOf(true, false);
    const onBoth = await sceneOf(false, false);
    let valid = 0;
    const drawn = new Set<string>();
    for (let seed = 1; seed <= PROGRAMS; seed++) {
      const expected = await run(new Random(seed), all);
      expect(await run(new Random(seed), onHost), `seed ${seed}, on the host`).toEqual(expected);
      expect(await run(new Random(seed), onBoth), `seed ${seed}, on both sides`).toEqual(expected);
      if (expected.errors.every((error) => error === null)) valid++;
      drawn.add(expected.pixels);
    }
    // Programs of both kinds, and not all with one picture.
    expect(valid).toBeGreaterThan(PROGRAMS / 10);
    expect(valid).toBeLessThan(PROGRAMS);
    expect(drawn.size).toBeGreaterThan(PROGRAMS / 10);
    const [sentByAll, , sentByBoth] = connections.map(({ statistics }) => statistics.sentBytes);
    expect(sentByBoth!).toBeLessThan(sentByAll!);
  });
});
