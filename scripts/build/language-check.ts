import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type Catalogue, flatten, merge, sourceLanguage } from './catalogue.ts';
import { helpProblems, translationProblems } from './help-check.ts';
import { isUsed, registeredTypes, type TextUse, textUse } from './inspect.ts';
import { readCatalogue } from './locales.ts';
import type { Sources, SystemSet } from './sources.ts';
import { systemCatalogue } from './system-catalogue.ts';

/**
 * What is wrong with the texts of the languages: keys that are missing, unknown or used nowhere, placeholders that
 * differ from the English text's, help that is missing, incomplete, or names what does not exist.
 *
 * @param dist the built pack
 */
export async function languageProblems(sources: Sources, dist: string): Promise<string[]> {
  const translations = sources.languages.filter((language) => language !== sourceLanguage);
  const problems = await Promise.all([
    unusedKeys(sources, dist),
    ...translations.map((language) => catalogueProblems(sources, language)),
    ...sources.languages.map((language) => allHelp(sources, dist, language)),
  ]);
  return problems.flat();
}

/** Differences between two catalogues, one sentence each. */
export function differences(name: string, source: Catalogue, translation: Catalogue): string[] {
  const texts = flatten(source);
  const translated = flatten(translation);
  const missing = [...texts.keys()].filter((key) => !translated.has(key));
  const unknown = [...translated.keys()].filter((key) => !texts.has(key));
  const differing = [...texts].filter(([key, text]) => {
    const other = translated.get(key);
    return other !== undefined && placeholders(text) !== placeholders(other);
  });
  return [
    ...missing.map((key) => `${name}: text '${key}' is missing`),
    ...unknown.map((key) => `${name}: there is no text '${key}' in ${sourceLanguage}`),
    ...differing.map(([key, text]) => `${name}: text '${key}' needs the placeholders ${placeholders(text)}`),
  ];
}

/** `__name__`, `${NAME}` and `{name}`, each once, sorted. */
function placeholders(text: string): string {
  const found = text.match(/__\w+?__|\$?\{\w+\}/g) ?? [];
  return [...new Set(found)].sort().join(' ') || 'none';
}

async function catalogueProblems({ root, systems }: Sources, language: string): Promise<string[]> {
  const source = join(root, 'locales', sourceLanguage);
  const folder = join(root, 'locales', language);
  const written = await catalogueNames(source);
  const manifests = new Map(systems.map((system) => [system.name, system]));
  const names = [...written, ...manifests.keys()];
  const strays = (await catalogueNames(folder)).filter((name) => !names.includes(name));
  const problems = names.map(async (name) => {
    const system = manifests.get(name);
    const texts = system ? translatable(system) : await readCatalogue(source, name);
    return differences(`locales/${language}/${name}.json`, texts, await readCatalogue(folder, name));
  });
  return [
    ...(await Promise.all(problems)).flat(),
    ...strays.map((name) => `locales/${language}/${name}.json belongs to no set`),
  ];
}

async function catalogueNames(folder: string): Promise<string[]> {
  const files = await readdir(folder);
  return files.filter((file) => file.endsWith('.json')).map((file) => basename(file, '.json'));
}

/** Texts of a manifest without what is the same in every language: the product's name and examples of input. */
function translatable({ manifest }: SystemSet): Catalogue {
  const { system: _name, ...texts } = systemCatalogue(manifest);
  const plain = (catalogue: Catalogue): Catalogue =>
    Object.fromEntries(
      Object.entries(catalogue)
        .filter(([key, value]) => key !== 'placeholder' || typeof value !== 'string')
        .map(([key, value]) => [key, typeof value === 'string' ? value : plain(value)]),
    );
  return plain(texts);
}

/** English texts that neither a form nor a script asks for. Those in common must be asked for by one set at least. */
async function unusedKeys({ root, nodes, plugins, systems }: Sources, dist: string): Promise<string[]> {
  const folder = join(root, 'locales', sourceLanguage);
  const uses = async (sets: { name: string }[]) =>
    Promise.all(sets.map(async ({ name }) => textUse(await readFile(join(dist, `${name}.html`), 'utf8'))));
  const sets = [...nodes, ...plugins];
  const [ofSets, ofSystems] = await Promise.all([uses(sets), uses(systems)]);
  const unused = async (name: string, users: TextUse[]) =>
    [...flatten(await readCatalogue(folder, name)).keys()]
      .filter((key) => !users.some((use) => isUsed(key, use)))
      .map((key) => `locales/${sourceLanguage}/${name}.json: nothing uses the text '${key}'`);
  const found = await Promise.all([
    unused('_shared', [...ofSets, ...ofSystems]),
    unused('_system', ofSystems),
    ...sets.map(({ name }, index) => unused(name, ofSets.slice(index, index + 1))),
  ]);
  return found.flat();
}

/** Help of all types in one language, as it is built. */
async function allHelp({ nodes, systems }: Sources, dist: string, language: string): Promise<string[]> {
  const built = await Promise.all(
    (await readdir(dist))
      .filter((file) => file.endsWith('.js'))
      .map((file) => readFile(join(dist, file), 'utf8')),
  );
  const program = new Set(built.join('\n').match(/\w+/g));
  const problems = [...nodes, ...systems].map(async ({ name }) => {
    const types = registeredTypes(await readFile(join(dist, `${name}.html`), 'utf8'));
    const file = `locales/${language}/${name}.html`;
    const [source, help] = await Promise.all([
      readBuilt(dist, sourceLanguage, name),
      readBuilt(dist, language, name),
    ]);
    const texts = merge(
      await readCatalogue(join(dist, 'locales', sourceLanguage), name),
      await readCatalogue(join(dist, 'locales', language), name),
    );
    return types.flatMap((type) => {
      const english = source.get(type.type) ?? '';
      const text = help.get(type.type);
      if (text === undefined) return [`${file}: help of ${type.type} is missing`];
      // Soft hyphens only say where a label may be broken.
      const labels = new Set([...flatten(texts).values()].map((label) => label.replaceAll('\u00ad', '')));
      return [
        ...helpProblems(type, english, text, { program, labels }),
        ...translationProblems(english, text),
      ].map((problem) => `${file}, ${type.type}: ${problem}`);
    });
  });
  return (await Promise.all(problems)).flat();
}

/** Type → its help. */
async function readBuilt(dist: string, language: string, name: string): Promise<Map<string, string>> {
  const file = join(dist, 'locales', language, `${name}.html`);
  const html = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  const scripts = html.matchAll(
    /<script type="text\/markdown" data-help-name="([^"]+)">([\s\S]*?)<\/script>/g,
  );
  return new Map([...scripts].map(([, type, text]) => [String(type), String(text)]));
}
