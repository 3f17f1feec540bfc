/** An element: its name, and its text or what it holds. */
export type Element = readonly [name: string, content: string | readonly Element[]];

/** An XML document as the vendors' tools write it, with two blanks for each level. */
export function xmlDocument(root: Element, attributes: string): string {
  const [name, content] = root;
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${name} ${attributes}>\n${inner(content, '  ')}</${name}>\n`;
}

function inner(content: Element[1], indent: string): string {
  if (typeof content === 'string') return `${indent}${escaped(content)}\n`;
  return content.map((element) => written(element, indent)).join('');
}

function written([name, content]: Element, indent: string): string {
  if (typeof content === 'string') return `${indent}<${name}>${escaped(content)}</${name}>\n`;
  return `${indent}<${name}>\n${inner(content, `${indent}  `)}${indent}</${name}>\n`;
}

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
