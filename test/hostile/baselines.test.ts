import * as guest from '@vesper-gpu/protocol/guest';
import { WireWriter } from '@vesper-gpu/wire';
import { describe, expect, it } from 'vitest';
import { commands, encoderOf } from '../wire/schema.ts';
import { Arena, settle } from './arena.ts';
import { argumentsOf, baseline, prefixOf, selectFor, VARIANTS } from './baselines.ts';

type Encoder = (writer: WireWriter, ...values: unknown[]) => void;
const encoders = guest as unknown as Record<string, Encoder>;

/** What is refused below is refused for what was done to it: unharmed, it is taken. */
describe.each(commands.map((command) => [command.name, command] as const))('%s, unharmed', (_, command) => {
  it('is laid out as the generated encoder does it', async () => {
    const arena = await Arena.open();
    for (let variant = 0; variant < VARIANTS; variant++) {
      const writer = new WireWriter();
      encoders[encoderOf(command.name)]!(
        writer,
        ...prefixOf(command, arena, variant),
        ...argumentsOf(command, arena, variant),
      );
      const encoded = new Int32Array(writer.takeFrame().slice().buffer).subarray(1);
      expect(Array.from(baseline(command, arena, variant).record())).toEqual(Array.from(encoded));
    }
  });

  it('is taken by the host, and so is what follows it', async () => {
    for (let variant = 0; variant < VARIANTS; variant++) {
      const arena = await Arena.open();
      selectFor(command, arena, variant);
      const { refusal } = arena.send(baseline(command, arena, variant).record(), arena.canary());
      expect(refusal).toBeUndefined();
      await settle();
      expect(arena.faults).toEqual([]);
      expect(arena.canaryRan).toBe(true);
    }
  });
});
