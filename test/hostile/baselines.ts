import { commands, type CommandSchema } from '../wire/schema.ts';
import { maskOf } from '../wire/schema.ts';
import type { Arena } from './arena.ts';
import { Layout } from './layout.ts';
import { fieldSample } from './samples.ts';

/** Enough variants that each member of each union, and each interface of the widest object, is there once. */
export const VARIANTS = 6;

/** Arguments that are ids, although the schema calls them numbers. */
const IDS: Record<string, (arena: Arena) => unknown[]> = {
  'VesperStream.selectEncoder': (arena) => [arena.idOf('GPUCommandEncoder')],
  'VesperStream.release': (arena) => [[arena.idOf('GPUSampler'), arena.idOf('GPUBindGroup')]],
};

/** The words before the fields: target, request id, new ids. */
export function prefixOf(command: CommandSchema, arena: Arena, variant: number): number[] {
  const { kind, interfaces } = command.target;
  const targets = interfaces.filter((name) => arena.ids.has(name));
  return [
    ...(kind === 'object' ? [arena.idOf(targets[variant % targets.length]!)] : []),
    ...(command.class === 'request' ? [0x1234] : []),
    ...arena.freshIds(command.creates.length),
  ];
}

export function argumentsOf(command: CommandSchema, arena: Arena, variant: number): unknown[] {
  return IDS[command.name]?.(arena) ?? command.fields.map((field) => fieldSample(field, arena.idOf, variant));
}

/** A valid record of a command, with every optional part. */
export function baseline(command: CommandSchema, arena: Arena, variant: number): Layout {
  const layout = new Layout(command.opcode);
  const [...prefix] = prefixOf(command, arena, variant);
  if (command.target.kind === 'object') {
    const types = maskOf(command.target.interfaces);
    layout.prefix('target', { kind: 'object', types, nullable: false, isTarget: true }, prefix.shift()!);
  }
  if (command.class === 'request') layout.prefix('requestId', { kind: 'requestId' }, prefix.shift()!);
  for (const name of command.creates) layout.prefix(`new${name}`, { kind: 'newId' }, prefix.shift()!);
  const values = argumentsOf(command, arena, variant);
  for (const [index, field] of command.fields.entries()) layout.argument(field, values[index]);
  return layout;
}

/** Makes the encoder current that a command needs. */
export function selectFor(command: CommandSchema, arena: Arena, variant: number): void {
  if (command.target.kind !== 'currentEncoder') return;
  const { interfaces } = command.target;
  const id = arena.idOf(interfaces[variant % interfaces.length]!);
  const select = new Layout(commands.find((one) => one.name === 'VesperStream.selectEncoder')!.opcode);
  select.prefix('encoder', { kind: 'newId' }, id);
  const { refusal } = arena.send(select.record());
  if (refusal !== undefined) throw refusal;
}
