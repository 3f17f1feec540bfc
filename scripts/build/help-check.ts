import type { RegisteredType } from './inspect.ts';

/** What help may name. */
export interface Known {
  /** Every word of the built programs. */
  program: ReadonlySet<string>;
  /** Texts of the set's catalogue in the language of the help. */
  labels: ReadonlySet<string>;
}

interface Section {
  heading: string;
  text: string;
}

/** What a help text lacks, or names although it does not exist. `english` tells which section is which. */
export function helpProblems(type: RegisteredType, english: string, help: string, known: Known): string[] {
  const places = sections(english).map(({ heading }) => heading);
  const own = sections(help);
  const section = (heading: string) => own[places.indexOf(heading)]?.text ?? '';
  const missing = neededSections(type).filter((heading) => !places.includes(heading));
  const labels = propertyNames(section('Properties')).filter((name) => !known.labels.has(name));
  const messages = messageNames(`${section('Inputs')}\n${section('Outputs')}`);
  const codes = codeSpans(help).filter((code) => /^[A-Z][A-Z0-9]*(_[A-Z0-9]+)+$/.test(code));
  return [
    ...missing.map((heading) => `the section ${heading} is missing`),
    ...labels.map((name) => `the form has no property '${name}'`),
    ...messages.filter((name) => !known.program.has(name)).map((name) => `nothing sets or reads '${name}'`),
    ...badDescriptions(help).map((line) => `a colon breaks the line '${line}'`),
    ...codes.filter((code) => !known.program.has(code)).map((code) => `there is no error code ${code}`),
  ];
}

/** Where a translation differs from the English help in what is the same in every language. */
export function translationProblems(english: string, help: string): string[] {
  const compared: [string, (text: string) => string[]][] = [
    ['sections', (text) => sections(text).map((_, index) => `section ${index + 1}`)],
    ['message properties', descriptions],
    ['codes', (text) => [...new Set(codeSpans(text))]],
    ['code blocks', (text) => (text.match(/^```/gm) ?? []).map((_, index) => `fence ${index + 1}`)],
    ['table rows', (text) => (text.match(/^\|/gm) ?? []).map((_, index) => `row ${index + 1}`)],
  ];
  return compared.flatMap(([what, read]) => {
    const expected = read(english);
    const found = read(help);
    const missing = expected.filter((item) => !found.includes(item));
    const added = found.filter((item) => !expected.includes(item));
    return [
      ...missing.map((item) => `of the ${what}, ${item} is missing`),
      ...added.map((item) => `of the ${what}, ${item} is not in the English help`),
    ];
  });
}

function neededSections({ category, inputs, outputs }: RegisteredType): string[] {
  const always = ['Details', 'Example'];
  if (category === 'config') return always;
  return [...(inputs === 1 ? ['Inputs'] : []), ...(outputs === 0 ? [] : ['Outputs']), ...always, 'Errors'];
}

function sections(help: string): Section[] {
  return help
    .split(/^### /m)
    .slice(1)
    .map((part) => {
      const end = part.indexOf('\n');
      return { heading: part.slice(0, end).trim(), text: part.slice(end) };
    });
}

/** Labels in bold at the beginning of a list item, before its colon. */
function propertyNames(text: string): string[] {
  const heads = text.match(/^- \*\*[^:：]*/gm) ?? [];
  return heads.flatMap((head) => [...head.matchAll(/\*\*([^*]+)\*\*/g)].map(([, name]) => String(name)));
}

/** Properties of messages: described ones and those in code, without the path to them. */
function messageNames(text: string): string[] {
  const described = [...text.matchAll(/^: \*?([\w.]+)\*? \(/gm)].map(([, name]) => String(name));
  return [...described, ...codeSpans(text)].flatMap(
    (path) =>
      path
        .match(/^[\w.]+$/)?.[0]
        .split('.')
        .at(-1) ?? [],
  );
}

/** Name and type of each described message property. */
function descriptions(help: string): string[] {
  return [...help.matchAll(/^(: \S+ \([^)]+\)) : /gm)].map(([, head]) => String(head));
}

/** Texts in backticks, line breaks within them as spaces; code blocks are left out. */
function codeSpans(help: string): string[] {
  const prose = help.replaceAll(/^```[\s\S]*?^```/gm, '');
  return [...prose.matchAll(/`([^`]+)`/g)].map(([, code]) => String(code).replaceAll(/\s+/g, ' '));
}

/** Lines `: name (type) : text` that the editor's Markdown does not read as such: it allows no further colon. */
function badDescriptions(help: string): string[] {
  return [...help.matchAll(/^:.*$/gm)]
    .map(([line]) => line)
    .filter((line) => !/^: [^:]+ \([^:]+\) : [^:]*$/.test(line));
}
