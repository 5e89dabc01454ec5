/** What Web IDL says of interface objects (https://webidl.spec.whatwg.org/#js-interfaces). */

/** Held by the library alone: a constructor that is not given it was called by the program. */
export const construction: unique symbol = Symbol('construction');

/** @throws TypeError unless the library itself constructs. */
export function requireConstruction(token: unknown): void {
  if (token !== construction) throw new TypeError('Illegal constructor');
}

/** @throws TypeError when a call has too few arguments. */
export function requireArguments(given: number, required: number, context: string): void {
  if (given < required) {
    throw new TypeError(
      `${context}: ${required} argument${required === 1 ? '' : 's'} required, but only ${given} present`,
    );
  }
}

/**
 * Gives a class the shape that Web IDL wants of an interface: its members enumerable, its name as the string tag.
 * A class's members are not enumerable in JavaScript; programs list limits with `for…in`.
 */
export function defineInterface(constructor: { name: string; prototype: object }, members: readonly string[]): void {
  const prototype = constructor.prototype;
  for (const name of members) Object.defineProperty(prototype, name, { enumerable: true });
  Object.defineProperty(prototype, Symbol.toStringTag, { value: constructor.name, configurable: true });
}

/** A namespace of constants, such as GPUBufferUsage. */
export function defineNamespace<T extends Record<string, number>>(name: string, constants: T): Readonly<T> {
  const namespace = { ...constants };
  for (const constant of Object.keys(constants)) {
    Object.defineProperty(namespace, constant, { writable: false, configurable: false });
  }
  Object.defineProperty(namespace, Symbol.toStringTag, { value: name, configurable: true });
  return namespace;
}
