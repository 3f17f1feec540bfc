import { type CallExpression, type Node, type ObjectExpression, parse } from 'acorn';
import { simple } from 'acorn-walk';

/** What the Flow Library learns of a node type from the built html, without running it. */
export interface RegisteredType {
  type: string;
  category: unknown;
  color: unknown;
  icon: unknown;
  inputs: unknown;
  outputs: unknown;
  defaults: string[];
  /** Kind of each, `text` or `password`. */
  credentials: Record<string, string>;
}

/**
 * Reads the `registerType` calls of an html file as the Flow Library's scorecard does.
 * @throws when something is not written out as a literal, naming type and property.
 */
export function registeredTypes(html: string): RegisteredType[] {
  const types: RegisteredType[] = [];
  for (const script of scripts(html)) {
    simple(parse(script, { ecmaVersion: 'latest' }), {
      CallExpression(call) {
        if (calledName(call) === 'registerType') types.push(registeredType(call));
      },
    });
  }
  return types;
}

function registeredType({ arguments: [type, definition] }: CallExpression): RegisteredType {
  if (type?.type !== 'Literal' || definition?.type !== 'ObjectExpression') {
    throw new Error('registerType needs a literal type and an object literal');
  }
  const name = String(type.value);
  const properties = new Map(entries(definition, name));
  const literal = (key: string) => {
    const value = properties.get(key);
    if (value && value.type !== 'Literal') throw new Error(`${name}: '${key}' is not a literal`);
    return value && 'value' in value ? value.value : undefined;
  };
  const members = (key: string) => {
    const value = properties.get(key);
    if (value && value.type !== 'ObjectExpression')
      throw new Error(`${name}: '${key}' is not an object literal`);
    return value ? entries(value as ObjectExpression, name) : [];
  };
  return {
    type: name,
    category: literal('category'),
    color: literal('color'),
    icon: literal('icon'),
    inputs: literal('inputs'),
    outputs: literal('outputs'),
    defaults: members('defaults').map(([property]) => property),
    credentials: Object.fromEntries(
      members('credentials').map(([property, value]) => [
        property,
        credentialType(value, `${name}: ${property}`),
      ]),
    ),
  };
}

function credentialType(definition: Node, name: string): string {
  const type =
    definition.type === 'ObjectExpression'
      ? new Map(entries(definition as ObjectExpression, name)).get('type')
      : undefined;
  const value = type && 'value' in type ? type.value : undefined;
  if (value === 'text' || value === 'password') return value;
  throw new Error(`${name} is a credential that is neither 'text' nor 'password'`);
}

function entries({ properties }: ObjectExpression, type: string): [string, Node][] {
  return properties.map((property) => {
    if (property.type !== 'Property' || property.key.type !== 'Identifier') {
      throw new Error(`${type}: spreads and quoted or computed keys are not seen by the Flow Library`);
    }
    return [property.key.name, property.value];
  });
}

/** Types that have an edit template: the ones the host knows a set to have. */
export function templateTypes(html: string): string[] {
  return [...html.matchAll(/data-template-name="([^"]+)"/g)].map(([, type]) => String(type));
}

/** Catalogue keys that forms and scripts of an html file name literally. */
export function textKeys(html: string): string[] {
  const attributes = [...html.matchAll(/data-i18n="(?:\[\w+\])?([^"]+)"/g)].map(([, key]) => String(key));
  return [...attributes, ...scripts(html).flatMap(translatedKeys)];
}

/** First arguments of the `_('key')` calls of a script. */
export function translatedKeys(script: string): string[] {
  const keys: string[] = [];
  simple(parse(script, { ecmaVersion: 'latest' }), {
    CallExpression(call) {
      const [key] = call.arguments;
      if (calledName(call) === '_' && key?.type === 'Literal') keys.push(String(key.value));
    },
  });
  return keys;
}

/** How the forms and scripts of an html file ask for texts. */
export interface TextUse {
  /** Everything that a form names, and every literal and property name of the scripts. */
  words: ReadonlySet<string>;
  /** Templates with values in them, such as `role.${value}`. */
  patterns: RegExp[];
  /** Palette categories of the types. */
  categories: ReadonlySet<string>;
}

export function textUse(html: string): TextUse {
  const words = new Set(textKeys(html));
  const patterns: RegExp[] = [];
  for (const script of scripts(html)) {
    simple(parse(script, { ecmaVersion: 'latest' }), {
      Literal({ value }) {
        words.add(String(value));
      },
      Property({ key }) {
        if (key.type === 'Identifier') words.add(key.name);
      },
      TemplateLiteral({ quasis, expressions }) {
        if (expressions.length === 0) words.add(String(quasis[0]?.value.cooked));
        else
          patterns.push(
            new RegExp(
              `^${quasis.map(({ value }) => value.raw.replaceAll(/[^\w ]/g, '\\$&')).join('(.+)')}$`,
            ),
          );
      },
    });
  }
  return {
    words,
    patterns,
    categories: new Set(registeredTypes(html).map(({ category }) => String(category))),
  };
}

/**
 * Whether forms or scripts may ask for the key: it is named, or a template gives it. Values that fill a template often
 * come from the host, so any will do; only where a template is nothing but values these must be named. The answer can be
 * a wrong yes, for a key such as `name`.
 */
export function isUsed(key: string, { words, patterns, categories }: TextUse): boolean {
  if (key.startsWith('palette.label.')) return categories.has(key.slice('palette.label.'.length));
  const given = (pattern: RegExp) => {
    const values = pattern.exec(key)?.slice(1);
    if (values === undefined) return false;
    return /[a-z]/.test(pattern.source) || values.every((value) => words.has(value));
  };
  return words.has(key) || patterns.some(given);
}

function calledName({ callee }: CallExpression): string | undefined {
  return callee.type === 'MemberExpression' && callee.property.type === 'Identifier'
    ? callee.property.name
    : undefined;
}

function scripts(html: string): string[] {
  return [...html.matchAll(/<script type="text\/javascript">([\s\S]*?)<\/script>/g)].map(([, script]) =>
    String(script),
  );
}
