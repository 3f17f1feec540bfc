import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Catalogue, merge, sourceLanguage } from './catalogue.ts';
import type { Sources, SystemSet } from './sources.ts';
import { systemCatalogue } from './system-catalogue.ts';
import { systemHelp } from './system-help.ts';

/**
 * Writes `locales/<language>/<set>.json` and `.html` (help) for every set. The host loads one catalogue per
 * set, so the texts that sets have in common (`_shared.json`, `_system.json`) are merged into each of them.
 */
export async function buildLocales(
  { root, nodes, plugins, systems, languages }: Sources,
  outdir: string,
): Promise<void> {
  for (const language of languages) {
    const source = join(root, 'locales', language);
    const target = join(outdir, 'locales', language);
    await mkdir(target, { recursive: true });
    const shared = await readCatalogue(source, '_shared');
    for (const { name } of nodes) {
      const catalogue = merge(shared, await readCatalogue(source, name));
      await write(target, name, catalogue, await readHelp(source, name));
    }
    for (const { name } of plugins) await write(target, name, await readCatalogue(source, name), null);
    const common = merge(shared, await readCatalogue(source, '_system'));
    for (const system of systems) {
      const own = await manifestTexts(root, language, system);
      await write(target, system.name, merge(common, own), await help(source, system, own));
    }
  }
}

/**
 * What a manifest says, in a language: it is English itself, and its translation stands in
 * `locales/<language>/<set>.json`.
 */
export async function manifestTexts(
  root: string,
  language: string,
  { name, manifest }: SystemSet,
): Promise<Catalogue> {
  const english = systemCatalogue(manifest);
  if (language === sourceLanguage) return english;
  return merge(english, await readCatalogue(join(root, 'locales', language), name));
}

async function help(source: string, { manifest }: SystemSet, texts: Catalogue): Promise<string | null> {
  const template = await readHelp(source, '_system');
  if (template === null) return null;
  return systemHelp(template, manifest, texts, await readCatalogue(source, '_help'));
}

async function write(target: string, name: string, catalogue: Catalogue, text: string | null): Promise<void> {
  await writeFile(join(target, `${name}.json`), `${JSON.stringify(catalogue, null, 2)}\n`);
  if (text) await writeFile(join(target, `${name}.html`), text);
}

/** The catalogue of that name in a folder; empty when there is none. */
export async function readCatalogue(folder: string, name: string): Promise<Catalogue> {
  const file = join(folder, `${name}.json`);
  return existsSync(file) ? JSON.parse(await readFile(file, 'utf8')) : {};
}

/** The help of that name in a folder; null when there is none. */
export async function readHelp(folder: string, name: string): Promise<string | null> {
  const file = join(folder, `${name}.html`);
  return existsSync(file) ? readFile(file, 'utf8') : null;
}
