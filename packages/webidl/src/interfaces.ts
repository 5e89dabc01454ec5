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

/**
 * Gives a class methods of its own for those that it inherits from a class of the platform; each looks the inherited one
 * up when it is called. A program that replaces a method on the prototype and puts it back leaves an own property behind:
 * it would hide every later change of `base.prototype`, which instrumentation makes. Dawn for Node has them too.
 */
export function forwardInherited(constructor: { prototype: object }, base: { prototype: object }): void {
  for (const [name, property] of Object.entries(Object.getOwnPropertyDescriptors(base.prototype))) {
    const inherited: unknown = property.value;
    if (typeof inherited !== 'function' || name === 'constructor') continue;
    const forward = {
      [name](this: unknown, ...args: unknown[]): unknown {
        return (Reflect.get(base.prototype, name) as (...args: unknown[]) => unknown).apply(this, args);
      },
    }[name]!;
    Object.defineProperty(forward, 'length', { value: inherited.length, configurable: true });
    Object.defineProperty(constructor.prototype, name, { ...property, value: forward });
  }
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
