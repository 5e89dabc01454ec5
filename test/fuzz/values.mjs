const U32 = [0, 1, 2, 3, 4, 16, 255, 256, 65_535, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff];
const U64 = [0, 1, 4, 256, 0xffff_ffff, 2 ** 32, 2 ** 53 - 1];
const FLOATS = [0, -0, 1, -1, 0.5, 1e30, 5e-324, Infinity, -Infinity, NaN];
const TEXTS = ['', 'a', 'main', 'Grüße', '日本語', '🦀', '__proto__', 'x'.repeat(40), 'é'.repeat(100)];

/** Makes valid values of the schema's types, in the form that the generated encoders take. */
export class Values {
  #dictionaries;
  #enums;
  #random;
  #idOf;

  /** @param idOf gives the id of a live object of one of these interfaces. */
  constructor(schema, random, idOf) {
    this.#dictionaries = new Map(schema.dictionaries.map((one) => [one.name, one]));
    this.#enums = new Map(schema.enums.map((one) => [one.name, one.values.map((value) => value.name)]));
    this.#random = random;
    this.#idOf = idOf;
  }

  /** A field's value; absent as often as not where it may be. */
  field(field) {
    if (field.required || this.#random.oneIn(2)) return this.value(field.type);
    if (field.default === undefined || field.default === 'empty-dictionary') return undefined;
    return field.default === 'empty-sequence' ? [] : field.default;
  }

  value(type) {
    const random = this.#random;
    switch (type.kind) {
      case 'boolean':
        return random.oneIn(2);
      case 'integer':
        if (type.bits === 64) return random.pick(U64);
        return type.signed ? random.pick(U32) | 0 : random.pick(U32);
      case 'float':
        return random.pick(FLOATS);
      case 'string':
        return random.pick(TEXTS);
      case 'enum':
        return random.pick(this.#enums.get(type.name));
      case 'object':
        return this.#idOf(type.interfaces);
      case 'bytes':
        return new Uint8Array(random.below(24)).fill(random.u32());
      case 'dictionary':
      case 'shape': {
        const { fields } = this.#dictionaries.get(type.name);
        return Object.fromEntries(fields.map((field) => [field.name, this.field(field)]));
      }
      case 'sequence':
      case 'frozenArray':
        return Array.from({ length: random.below(4) }, () => this.value(type.element));
      case 'record': {
        const inner = type.value.kind === 'nullable' ? type.value.inner : type.value;
        return Array.from({ length: random.below(3) }, () => [random.pick(TEXTS), this.value(inner)]);
      }
      case 'nullable':
        return random.oneIn(3) ? null : this.value(type.inner);
      case 'union':
        return this.value(random.pick(type.members));
      default:
        throw new Error(`no value of a ${type.kind}`);
    }
  }
}
