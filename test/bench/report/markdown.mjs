// Tables of Markdown.

/**
 * @param {readonly string[]} header a column whose name begins with `>` is aligned to the right
 * @param {readonly (readonly string[])[]} lines
 */
export function markdownTable(header, lines) {
  const names = header.map((name) => name.replace(/^>/, ''));
  const rule = header.map((name) => (name.startsWith('>') ? '--:' : '---'));
  return [names, rule, ...lines].map((cells) => `| ${cells.map(cell).join(' | ')} |`).join('\n');
}

/** @param {string} content */
function cell(content) {
  return content.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
