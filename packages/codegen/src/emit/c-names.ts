import type { CommandSchema, EventSchema, LiteralSchema } from '../schema/schema.ts';
import { wordOf } from './names.ts';

/** Words that a parameter or member cannot be called in C, or in C++, which may include the header too. */
const KEYWORDS = new Set(
  (
    'auto bool break case char class const continue default delete do double else enum export extern false float for ' +
    'friend goto if inline int long namespace new operator private protected public register restrict return short ' +
    'signed sizeof static struct switch template this throw true try typedef typename union unsigned using virtual ' +
    'void volatile while w v'
  ).split(' '),
);

/** `GPUTexelCopyBufferInfo` → `texel_copy_buffer_info`; `GPUExtent3DDict` → `extent3d_dict`. */
export function snake(name: string): string {
  return name
    .replace(/^(GPU|Vesper)(?=[A-Z])/, '')
    .replace(/(\d)D(?![a-z])/g, '$1d')
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1_$2')
    .replace(/\W+/g, '_')
    .toLowerCase();
}

/** Name of a type: `vesper_texture_format`. */
export function typeName(name: string): string {
  return `vesper_${snake(name)}`;
}

/** Name of a constant: `VESPER_TEXTURE_FORMAT_RGBA8UNORM`. */
export function constantName(...parts: string[]): string {
  return `VESPER_${parts.map((part) => snake(part).toUpperCase()).join('_')}`;
}

/** Name of a struct's member or a parameter. `w` and `v` are the writer's and the value's own. */
export function memberName(name: string): string {
  const text = snake(name);
  return KEYWORDS.has(text) ? `${text}_` : text;
}

/** `vesper_encode_queue_write_buffer`: the same word as in the other languages. */
export function encoderName(command: CommandSchema): string {
  return `vesper_encode_${snake(wordOf(command.name))}`;
}

export function opcodeName(record: CommandSchema | EventSchema): string {
  return constantName('opcode', wordOf(record.name));
}

/** The parameters of a command before its fields: target, request id, new ids; each with what it is. */
export function prefixParameters(command: CommandSchema): { name: string; is: string }[] {
  const list: { name: string; is: string }[] = [];
  if (command.target.kind === 'object') {
    const { interfaces } = command.target;
    const taken = command.fields.map((field) => memberName(field.name));
    const name = interfaces.length === 1 ? memberName(interfaces[0]!) : 'object';
    list.push({ name: taken.includes(name) ? 'target' : name, is: `id of a ${interfaces.join(', ')}` });
  }
  if (command.class === 'request') list.push({ name: 'request_id', is: 'comes back in the reply' });
  for (const one of command.creates)
    list.push({ name: `new_${snake(one)}`, is: `id that the guest allocated for the ${one}` });
  return list;
}

/** A default as comments show it. */
export function defaultText(value: LiteralSchema): string {
  if (value === 'empty-sequence') return 'empty';
  return value === 'empty-dictionary' ? 'all defaults' : JSON.stringify(value);
}
