/** Web IDL's conversions of numbers (https://webidl.spec.whatwg.org/#js-to-integer-types). */

const MAX_UINT32 = 0xffff_ffff;

/** ECMAScript's ToNumber: unlike Number(), it refuses a BigInt. @throws TypeError for a BigInt or a symbol. */
function toNumber(value: unknown): number {
  return +(value as number);
}

function outOfRange(context: string, value: unknown, what: string): never {
  // An object's own conversion has been called once, and must not be called again.
  const shown = typeof value === 'object' || typeof value === 'function' ? 'an object' : String(value);
  throw new TypeError(`${context}: ${shown} is not ${what}`);
}

function enforce(value: unknown, min: number, max: number, context: string): number {
  const number = toNumber(value);
  const integer = Math.trunc(number);
  // Written so that NaN fails.
  if (!(integer >= min && integer <= max)) outOfRange(context, value, `an integer from ${min} to ${max}`);
  // -0 becomes 0.
  return integer + 0;
}

/** `[EnforceRange] unsigned long`. @throws TypeError when the value is no number of that range. */
export function toUint32Enforced(value: unknown, context: string): number {
  // The shifted value, as that of -0 is 0.
  return typeof value === 'number' && value >>> 0 === value ? value >>> 0 : enforce(value, 0, MAX_UINT32, context);
}

/** `[EnforceRange] long`. */
export function toInt32Enforced(value: unknown, context: string): number {
  return typeof value === 'number' && (value | 0) === value
    ? value | 0
    : enforce(value, -0x8000_0000, 0x7fff_ffff, context);
}

/** `[EnforceRange] unsigned long long`: up to 2⁵³ − 1. */
export function toUint64Enforced(value: unknown, context: string): number {
  return typeof value === 'number' && value >>> 0 === value
    ? value >>> 0
    : enforce(value, 0, Number.MAX_SAFE_INTEGER, context);
}

/** `[EnforceRange] unsigned short`. */
export function toUint16Enforced(value: unknown, context: string): number {
  return enforce(value, 0, 0xffff, context);
}

/** `[Clamp] unsigned short`: the nearest value in range, ties to even; NaN becomes 0. */
export function toUint16Clamped(value: unknown): number {
  const number = Math.min(Math.max(toNumber(value), 0), 0xffff);
  if (Number.isNaN(number)) return 0;
  const floor = Math.floor(number);
  const rest = number - floor;
  return rest < 0.5 || (rest === 0.5 && floor % 2 === 0) ? floor : floor + 1;
}

/** `unsigned long`: modulo 2³². */
export function toUint32(value: unknown): number {
  return toNumber(value) >>> 0;
}

/** `long`: modulo 2³². */
export function toInt32(value: unknown): number {
  return toNumber(value) | 0;
}

/** `unsigned long long`: modulo 2⁶⁴, as the nearest double. */
export function toUint64(value: unknown): number {
  const number = Math.trunc(toNumber(value));
  if (!Number.isFinite(number)) return 0;
  return Number(BigInt.asUintN(64, BigInt(number)));
}

/** `float`. @throws TypeError when it is not finite, or not within the range of 32 bits. */
export function toFloat(value: unknown, context: string): number {
  const float = Math.fround(toNumber(value));
  if (!Number.isFinite(float)) outOfRange(context, value, 'a finite float');
  return float;
}

/** `double`. @throws TypeError when it is not finite. */
export function toDouble(value: unknown, context: string): number {
  const number = toNumber(value);
  if (!Number.isFinite(number)) outOfRange(context, value, 'a finite double');
  return number;
}
