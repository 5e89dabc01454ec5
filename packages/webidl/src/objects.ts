import { toDOMString, toUSVString } from './strings.ts';

/** Web IDL's conversions of objects: dictionaries, sequences, records, buffers. */

/**
 * A dictionary's members are to be read from what this returns; undefined stands for "all absent".
 * @throws TypeError when the value is neither an object nor null nor undefined.
 */
export function toDictionary(value: unknown, context: string): Readonly<Record<string, unknown>> | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'object' && typeof value !== 'function') throw new TypeError(`${context} is not an object`);
  return value as Readonly<Record<string, unknown>>;
}

/** Reports a required member that is absent. */
export function missingMember(context: string): never {
  throw new TypeError(`${context} is required, but undefined`);
}

/** Reports a value that is no object of the wanted interface. */
export function notAnObjectOf(interfaceName: string, context: string): never {
  throw new TypeError(`${context} is not of type ${interfaceName}`);
}

/** The items of any iterable object, converted in order. @throws TypeError when the value is not iterable. */
export function toSequence<T>(value: unknown, convert: (item: unknown) => T, context: string): T[] {
  // An array that iterates as arrays do, which is nearly every one, needs no iterator.
  if (Array.isArray(value) && value[Symbol.iterator] === Array.prototype.values) {
    const items: T[] = [];
    for (let i = 0; i < value.length; i++) items.push(convert(value[i]));
    return items;
  }
  if (!isIterable(value)) throw new TypeError(`${context} is not iterable`);
  const items: T[] = [];
  for (const item of value) items.push(convert(item));
  return items;
}

/** Whether a union of a sequence and a dictionary takes the value as a sequence. */
export function isIterable(value: unknown): value is Iterable<unknown> {
  if ((typeof value !== 'object' || value === null) && typeof value !== 'function') return false;
  const method: unknown = (value as Iterable<unknown>)[Symbol.iterator];
  if (method === undefined || method === null) return false;
  if (typeof method !== 'function') throw new TypeError('[Symbol.iterator] is not a function');
  return true;
}

/**
 * A sequence that stands for a dictionary of its items, such as GPUExtent3D.
 * @throws TypeError when it has fewer than `min` or more than `max` items.
 */
export function toShapeItems(
  value: Iterable<unknown>,
  convert: (item: unknown) => number,
  min: number,
  max: number,
  context: string,
): number[] {
  const items = toSequence(value, convert, context);
  if (items.length < min || items.length > max) {
    throw new TypeError(
      `${context}: a sequence of ${items.length} items, ${min === max ? min : `${min} to ${max}`} wanted`,
    );
  }
  return items;
}

/** A record's entries: own enumerable keys, in order. Entries that `convert` makes undefined are dropped. */
export function toRecord<T>(
  value: unknown,
  scalarValueKeys: boolean,
  convert: (item: unknown) => T | undefined,
  context: string,
): [string, T][] {
  if (typeof value !== 'object' && typeof value !== 'function') throw new TypeError(`${context} is not an object`);
  if (value === null) throw new TypeError(`${context} is null`);
  // Two keys can become one by replacing lone surrogates: the last value counts, at the first one's place.
  const entries = new Map<string, T | undefined>();
  for (const key of Reflect.ownKeys(value)) {
    if (!Object.getOwnPropertyDescriptor(value, key)?.enumerable) continue;
    const name = scalarValueKeys ? toUSVString(key, context) : toDOMString(key, context);
    entries.set(name, convert((value as Record<PropertyKey, unknown>)[key]));
  }
  return [...entries].filter((entry): entry is [string, T] => entry[1] !== undefined);
}

/** https://webidl.spec.whatwg.org/#AllowSharedBufferSource */
export type BufferSource = ArrayBufferView | ArrayBufferLike;

/** `AllowSharedBufferSource`: a buffer or a view of one, shared or not. */
export function toBufferSource(value: unknown, context: string): BufferSource {
  // A detached buffer has no bytes, and no view of it can be made.
  if (ArrayBuffer.isView(value)) return isEmpty(value) ? NO_BYTES : value;
  if (value instanceof ArrayBuffer) return value.byteLength === 0 ? NO_BYTES : value;
  if (isSharedArrayBuffer(value)) return value;
  // Of another realm.
  const tag = Object.prototype.toString.call(value);
  if (tag === '[object ArrayBuffer]') return value as ArrayBuffer;
  throw new TypeError(`${context} is not an ArrayBuffer, a SharedArrayBuffer or a view of one`);
}

const NO_BYTES = new Uint8Array(0);

/** A detached DataView throws when asked for its length; asking a small typed array for its buffer makes V8 allocate one. */
function isEmpty(view: ArrayBufferView): boolean {
  // Of these it is the same, but V8 makes a call of `byteLength`.
  if (view instanceof Uint8Array) return view.length === 0;
  return view instanceof DataView ? view.buffer.byteLength === 0 : view.byteLength === 0;
}

function isSharedArrayBuffer(value: unknown): value is SharedArrayBuffer {
  return typeof SharedArrayBuffer === 'function' && value instanceof SharedArrayBuffer;
}

/** `Uint32Array`, shared or not. */
export function toUint32Array(value: unknown, context: string): Uint32Array {
  if (Object.prototype.toString.call(value) !== '[object Uint32Array]')
    throw new TypeError(`${context} is not a Uint32Array`);
  return value as Uint32Array;
}
