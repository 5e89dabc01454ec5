import type { Lines } from './source.ts';

const INDENT = '  ';
const WIDTH = 120;

/** The brace that ends a switch. */
export const END_SWITCH = '} // switch';

/** C text from lines, indented by their braces. */
export function cText(...lines: readonly Lines[]): string {
  let depth = 0;
  const out: string[] = [];
  const print = (line: Lines): void => {
    if (line === undefined || line === false) return;
    if (typeof line !== 'string') return line.forEach(print);
    // Cases stand deeper than their switch, and what they do deeper still.
    if (line === END_SWITCH) depth -= 2;
    else if (/^(\}|case )/.test(line)) depth--;
    const text = line === END_SWITCH ? '}' : line;
    out.push(text === '' || text.startsWith('#') ? text : INDENT.repeat(depth) + text);
    if (line.endsWith('{') || line.startsWith('case ')) depth++;
    if (line.startsWith('switch ')) depth++;
  };
  lines.forEach(print);
  return `${out.join('\n').replace(/\n{3,}/g, '\n\n')}\n`;
}

/** A declaration or definition's head, with one parameter a line where it is too long for one. */
export function cFunction(head: string, parameters: readonly string[], tail: string): string[] {
  const one = `${head}(${parameters.join(', ')})${tail}`;
  if (one.length <= WIDTH) return [one];
  return [
    `${head}(`,
    ...parameters.map(
      (parameter, index) => `${INDENT}${INDENT}${parameter}${index === parameters.length - 1 ? `)${tail}` : ','}`,
    ),
  ];
}

/** A documentation comment. */
export function cDoc(...lines: string[]): string[] {
  if (lines.length === 1) return [`/** ${lines[0]} */`];
  return ['/**', ...lines.map((line) => ` * ${line}`), ' */'];
}
