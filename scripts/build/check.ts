import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Catalogue, lookUp, sourceLanguage } from './catalogue.ts';
import { fieldProblems } from './fields.ts';
import { registeredTypes, templateTypes, textKeys } from './inspect.ts';
import { languageProblems } from './language-check.ts';
import type { Sources, SystemSet } from './sources.ts';

/** Everything that is missing or wrong in sources and build output, one sentence each. */
export async function findProblems(sources: Sources, dist: string): Promise<string[]> {
  const sets = [...sources.nodes, ...sources.systems];
  const built = await Promise.all(sets.map(({ name }) => setProblems(name, dist)));
  const plugins = await Promise.all(sources.plugins.map(({ name }) => pluginProblems(name, dist)));
  return [
    ...sources.systems.flatMap((system) => systemProblems(sources.root, system)),
    ...built.flat(),
    ...plugins.flat(),
    ...(await languageProblems(sources, dist)),
  ];
}

/** Parts of a system that are made by hand; a new system is complete when none is missing. */
function systemProblems(root: string, { name, manifest }: SystemSet): string[] {
  const parts = {
    'its module': `lib/systems/${manifest.id}/index.ts`,
    'its simulator': `simulator/${manifest.id}`,
    'its docs page': `docs/systems/${manifest.id}.md`,
    'its icon': `icons/${name}.svg`,
  };
  const missing = Object.entries(parts)
    .filter(([, path]) => !existsSync(join(root, path)))
    .map(([part, path]) => `${name}: ${part} is missing (${path})`);
  return [...missing, ...fieldProblems(manifest).map((problem) => `${name}: ${problem}`)];
}

/** Problems of one built set: what the palette, the Flow Library and the help would stumble over. */
async function setProblems(name: string, dist: string): Promise<string[]> {
  const html = await readFile(join(dist, `${name}.html`), 'utf8');
  const locale = join(dist, 'locales', sourceLanguage, `${name}.json`);
  const catalogue: Catalogue = JSON.parse(await readFile(locale, 'utf8'));
  const types = registeredTypes(html);
  const templates = templateTypes(html);
  return [
    ...types.filter(({ type }) => !templates.includes(type)).map(({ type }) => `${type} has no form`),
    ...templates
      .filter((type) => !types.some((t) => t.type === type))
      .map((type) => `${type} is not registered`),
    ...types
      .filter(({ icon }) => !existsSync(join(dist, 'icons', String(icon))))
      .map(({ type, icon }) => `${type}: icon is missing (icons/${icon})`),
    ...missingTexts(name, html, catalogue),
  ];
}

async function pluginProblems(name: string, dist: string): Promise<string[]> {
  const html = await readFile(join(dist, `${name}.html`), 'utf8');
  const locale = join(dist, 'locales', sourceLanguage, `${name}.json`);
  return missingTexts(name, html, JSON.parse(await readFile(locale, 'utf8')));
}

const missingTexts = (name: string, html: string, catalogue: Catalogue): string[] =>
  [...new Set(textKeys(html))]
    .filter((key) => typeof lookUp(catalogue, key) !== 'string')
    .map((key) => `${name}: text '${key}' is missing (locales/${sourceLanguage})`);
