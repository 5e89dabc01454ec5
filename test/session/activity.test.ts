import { describe, expect, it } from 'vitest';
import { NullGpu } from '../hostile/null-gpu.ts';
import { connected } from './pair.ts';
import { commandInfo } from '@vesper-gpu/protocol/host';

describe('the words that a watching thread reads', () => {
  it('name the record that is being executed, and none behind it, even if it throws', async () => {
    const activity = new Int32Array(new SharedArrayBuffer(8));
    const backend = new NullGpu();
    const { device, session } = await connected({ activity }, backend);
    const seen: [string, string | undefined][] = [];
    backend.fail = (called) => {
      seen.push([called, commandInfo[activity[1]!]?.name]);
      if (called === 'createSampler') throw new TypeError('a backend that fails');
    };
    device.pushErrorScope('validation');
    device.createBuffer({ size: 4, usage: 1 });
    device.createSampler();
    device.createCommandEncoder();
    await device.popErrorScope();
    const creations = seen.filter(([called]) => called.startsWith('create'));
    expect(creations).toEqual(creations.map(([called]) => [called, `GPUDevice.${called}`]));
    expect(creations.map(([called]) => called)).toEqual(
      expect.arrayContaining(['createBuffer', 'createSampler', 'createCommandEncoder']),
    );
    expect([...activity]).toEqual([session.statistics.commands, 0]);
  });
});
