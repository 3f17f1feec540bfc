import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { exceptionCodes } from '../../../lib/model';
import { helpProblems, translationProblems } from '../../../scripts/build/help-check';
import { isUsed, type RegisteredType, textUse } from '../../../scripts/build/inspect';
import { differences } from '../../../scripts/build/language-check';

const root = join(__dirname, '../../..');

test('the pack speaks English, German, French and Japanese', () => {
  expect(readdirSync(join(root, 'locales')).sort()).toEqual(['de', 'en-US', 'fr', 'ja']);
});

test.each(['de', 'fr', 'ja'])('the glossary of %s is a table of pairs', (language) => {
  const rows = readFileSync(join(root, `docs/glossary/${language}.md`), 'utf8').match(/^\|.*\|$/gm) ?? [];
  expect(rows.length).toBeGreaterThan(30);
  expect(rows.filter((row) => row.split('|').length !== 4)).toEqual([]);
});

test('the reasons of a case are those of the model, in its words', () => {
  const { reason } = JSON.parse(readFileSync(join(root, 'locales/en-US/q2c-case.json'), 'utf8'));
  const titles = Object.entries(exceptionCodes).map(([code, { title }]) => [code, title]);
  expect(reason).toEqual(Object.fromEntries(titles));
});

describe('a translated catalogue', () => {
  const source = { label: 'deal', more: { count: 'Runs: __count__', path: `\${NAME} or {status}` } };

  test('is right with the same keys and placeholders, in any order', () => {
    const translation = {
      more: { path: `{status} oder \${NAME}`, count: '__count__ Läufe' },
      label: 'Auftrag',
    };
    expect(differences('de', source, translation)).toEqual([]);
  });

  test.each([
    ['a missing key', { label: 'Auftrag', more: { path: `\${NAME} {status}` } }, "'more.count' is missing"],
    ['an unknown key', { ...source, old: 'alt' }, "no text 'old'"],
    ['a lost placeholder', { ...source, more: { ...source.more, count: 'Läufe' } }, 'placeholders __count__'],
    [
      'a wrong placeholder',
      { ...source, more: { ...source.more, path: `\${NAME} {Status}` } },
      "'more.path'",
    ],
    ['a text in place of texts', { ...source, more: 'mehr' }, "'more.count' is missing"],
  ])('%s is a problem', (_, translation, problem) => {
    expect(differences('de', source, translation).join('\n')).toContain(problem);
  });
});

describe('a text', () => {
  const use = textUse(`<input data-i18n="[placeholder]hint" /><script type="text/javascript">
    RED.nodes.registerType('q2c-x', { category: 'q2c_process', label() { return this._('label'); } });
    const role = (value) => node._(\`role.\${value}\`);
    const choice = (group) => (value) => node._(\`\${group}.\${value}\`);
    choice('scope')('run');
  </script>`);

  test.each(['hint', 'label', 'role.sales', 'scope.run', 'palette.label.q2c_process'])(
    '%s is used',
    (key) => {
      expect(isUsed(key, use)).toBe(true);
    },
  );

  test.each(['tip', 'roles.sales', 'scope.deal', 'palette.label.q2c_other'])('%s is not used', (key) => {
    expect(isUsed(key, use)).toBe(false);
  });
});

describe('help', () => {
  const type: RegisteredType = {
    type: 'q2c-x',
    category: 'q2c_process',
    color: '#fff',
    icon: 'x.svg',
    inputs: 1,
    outputs: 0,
    defaults: [],
    credentials: {},
  };
  const english = `What it does.

### Inputs

: payload (object) : the deal with \`lines\`.

### Properties

- **Reason**: Why.

### Details

Text.

### Errors

\`CREDIT_HOLD\`: it waits.

### Example

\`\`\`
one
\`\`\`
`;
  const german = english
    .replace('Inputs', 'Eingänge')
    .replace('Properties', 'Eigenschaften')
    .replace('Reason', 'Grund')
    .replace('one', 'eins');
  const known = (...labels: string[]) => ({
    program: new Set(['payload', 'lines', 'CREDIT_HOLD']),
    labels: new Set(labels),
  });

  test('that names what exists has no problems', () => {
    expect(helpProblems(type, english, english, known('Reason'))).toEqual([]);
    expect(helpProblems(type, english, german, known('Grund'))).toEqual([]);
    expect(translationProblems(english, german)).toEqual([]);
  });

  test.each([
    ['a property that the form lacks', german.replace('Grund', 'Ursache'), "no property 'Ursache'"],
    ['a field of the message that nothing knows', german.replace('`lines`', '`rows`'), "'rows'"],
    ['an error code that does not exist', german.replace('CREDIT_HOLD', 'CREDIT_STOP'), 'CREDIT_STOP'],
    ['a colon that breaks a line', german.replace('the deal', 'a: the deal'), 'a colon breaks'],
  ])('%s is a problem', (_, text, problem) => {
    expect(helpProblems(type, english, text, known('Grund')).join('\n')).toContain(problem);
  });

  test('every node needs its sections', () => {
    const short = english.replace('### Example', '### More');
    expect(helpProblems(type, short, short, known('Reason'))).toEqual(['the section Example is missing']);
    expect(helpProblems({ ...type, outputs: 2 }, english, english, known('Reason'))).toEqual([
      'the section Outputs is missing',
    ]);
  });

  test.each([
    ['a section', german.replace('### Errors', 'Errors'), 'section 5 is missing'],
    ['a message property', german.replace(': payload', ': Nutzlast'), 'payload (object) is missing'],
    ['a code', german.replace('`CREDIT_HOLD`', 'Kreditsperre'), 'CREDIT_HOLD is missing'],
    ['a code block', german.replaceAll('```', ''), 'fence 1 is missing'],
  ])('a translation must keep %s', (_, text, problem) => {
    expect(translationProblems(english, text).join('\n')).toContain(problem);
  });
});
