// Writes SVG: elements as text, and a picture that can be read on a light page and on a dark one.

const STYLE = `
    text { fill: #1f2328; font: 12px system-ui, sans-serif; }
    .title { font-size: 14px; font-weight: 600; }
    .faint { fill: #59636e; }
    .end { text-anchor: end; }
    .middle { text-anchor: middle; }
    .grid { stroke: #d1d9e0; }
    .axis { stroke: #59636e; }
    .bar { fill: #0969da; }
    .line { fill: none; stroke-width: 2; }
    .series0 { stroke: #0969da; } .mark0 { fill: #0969da; }
    .series1 { stroke: #bc4c00; stroke-dasharray: 7 3; } .mark1 { fill: #bc4c00; }
    .series2 { stroke: #1a7f37; stroke-dasharray: 2 3; } .mark2 { fill: #1a7f37; }
    @media (prefers-color-scheme: dark) {
      text { fill: #f0f6fc; }
      .faint { fill: #9198a1; }
      .grid { stroke: #3d444d; }
      .axis { stroke: #9198a1; }
      .bar { fill: #4493f8; }
      .series0 { stroke: #4493f8; } .mark0 { fill: #4493f8; }
      .series1 { stroke: #f0883e; } .mark1 { fill: #f0883e; }
      .series2 { stroke: #3fb950; } .mark2 { fill: #3fb950; }
    }
  `;

/** @typedef {Readonly<Record<string, string | number>>} Attributes */

/** @param {string} text */
export function escape(text) {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}

/**
 * @param {string} name
 * @param {Attributes} attributes numbers are rounded to hundredths
 * @param {string} [content] markup
 */
export function element(name, attributes, content = '') {
  const written = Object.entries(attributes).map(
    ([key, value]) => ` ${key}="${escape(String(typeof value === 'number' ? Math.round(value * 100) / 100 : value))}"`,
  );
  return `<${name}${written.join('')}${content === '' ? '/>' : `>${content}</${name}>`}`;
}

/**
 * @param {number} x
 * @param {number} y of its baseline
 * @param {string} content plain text
 * @param {string} [classes] of the style sheet above
 */
export function text(x, y, content, classes) {
  return element('text', { x, y, ...(classes === undefined ? {} : { class: classes }) }, escape(content));
}

/**
 * @param {number} x1
 * @param {number} y1
 * @param {number} x2
 * @param {number} y2
 * @param {string} classes
 */
export function line(x1, y1, x2, y2, classes) {
  return element('line', { x1, y1, x2, y2, class: classes });
}

/**
 * @param {number} width
 * @param {number} height
 * @param {string} title for those who cannot see it
 * @param {readonly string[]} elements
 */
export function picture(width, height, title, elements) {
  const attributes = {
    xmlns: 'http://www.w3.org/2000/svg',
    viewBox: `0 0 ${width} ${height}`,
    width,
    height,
    role: 'img',
  };
  const parts = [element('title', {}, escape(title)), element('style', {}, STYLE), ...elements];
  return `${element('svg', attributes, `\n  ${parts.join('\n  ')}\n`)}\n`;
}
