import { registeredTypes, textKeys } from '../../../scripts/build/inspect';

const script = (code: string) => `<script type="text/javascript">${code}</script>`;
const register = (definition: string) => script(`RED.nodes.registerType('q2c-x', ${definition});`);

describe('what the Flow Library would read', () => {
  test('is found inside functions', () => {
    const html = script(
      "(() => { RED.nodes.registerType('q2c-x', { category: 'config', defaults: { a: { value: f() } } }); })();",
    );
    expect(registeredTypes(html)).toEqual([
      expect.objectContaining({ type: 'q2c-x', category: 'config', defaults: ['a'], credentials: {} }),
    ]);
  });

  test.each([
    ['a type in a variable', script('RED.nodes.registerType(type, {});'), 'literal type'],
    ['a definition in a variable', register('definition'), 'object literal'],
    ['a spread', register('{ ...common }'), 'spreads'],
    ['a spread in defaults', register('{ defaults: { ...common } }'), 'spreads'],
    ['a quoted property', register("{ defaults: { 'a-b': {} } }"), 'quoted'],
    ['a colour in a variable', register('{ color: blue }'), "'color' is not a literal"],
    ['a credential of no kind', register('{ credentials: { a: {} } }'), "neither 'text' nor 'password'"],
    ['a credential in a variable', register('{ credentials: { a: secret } }'), 'q2c-x: a is a credential'],
    ['defaults in a variable', register('{ defaults }'), "'defaults' is not an object literal"],
  ])('%s is refused', (_, html, message) => {
    expect(() => registeredTypes(html)).toThrow(message);
  });
});

test('text keys come from forms and scripts', () => {
  const html = `<span data-i18n="a.b"></span><input data-i18n="[placeholder]c" />${script("this._('d'); node._('e.' + f); other('g');")}`;
  expect(textKeys(html)).toEqual(['a.b', 'c', 'd']);
});
