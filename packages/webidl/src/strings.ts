/** Web IDL's conversions of strings (https://webidl.spec.whatwg.org/#js-DOMString). */

/** `DOMString`. @throws TypeError for a symbol. */
export function toDOMString(value: unknown, context: string): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'symbol') throw new TypeError(`${context}: a symbol is not a string`);
  return String(value);
}

/** `USVString`: lone surrogates become U+FFFD. */
export function toUSVString(value: unknown, context: string): string {
  const text = toDOMString(value, context);
  return /[\ud800-\udfff]/.test(text) ? replaceLoneSurrogates(text) : text;
}

function replaceLoneSurrogates(text: string): string {
  return text.replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, '\ufffd');
}

/**
 * An enumeration's value.
 * @param numbers the enumeration's values, as the keys of an object without a prototype.
 * @throws TypeError for any other string.
 */
export function toEnum<Name extends string>(
  value: unknown,
  numbers: Readonly<Record<Name, number>>,
  enumName: string,
  context: string,
): Name {
  const text = typeof value === 'string' ? value : toDOMString(value, context);
  if (numbers[text as Name] === undefined) throw new TypeError(`${context}: "${text}" is not a valid ${enumName}`);
  return text as Name;
}
