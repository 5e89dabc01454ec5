/** What can be printed. */
export type PrintedJson = string | number | boolean | readonly PrintedJson[] | { readonly [key: string]: PrintedJson };

/** Columns that a line may have. */
const MAX_WIDTH = 100;

/** JSON for people: what fits on a line is on one, but for objects that hold others. */
export function printJson(value: PrintedJson, indent = '', column = 0): string {
  if (typeof value !== 'object') return JSON.stringify(value);
  const isList = Array.isArray(value);
  const members = isList
    ? (value as readonly PrintedJson[]).map((one) => ['', one] as const)
    : Object.entries(value).map(([key, one]) => [`${JSON.stringify(key)}: `, one] as const);
  const [open, close] = isList ? ['[', ']'] : ['{', '}'];
  if (members.length === 0) return open + close;
  if (members.every(([, one]) => typeof one !== 'object' || (Array.isArray(one) && members.length === 1))) {
    const space = isList ? '' : ' ';
    const line = members.map(([key, one]) => key + printJson(one, indent)).join(', ');
    const isShort = !line.includes('\n') && column + line.length + 4 <= MAX_WIDTH;
    if (isShort) return open + space + line + space + close;
  }
  const inner = `${indent}  `;
  const lines = members.map(([key, one]) => inner + key + printJson(one, inner, inner.length + key.length));
  return `${open}\n${lines.join(',\n')}\n${indent}${close}`;
}
