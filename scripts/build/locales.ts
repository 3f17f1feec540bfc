import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SystemManifest } from '../../lib/systems/kit/types.ts';
import type { Sources } from './sources.ts';
import { systemCatalogue } from './system-catalogue.ts';
import { systemHelp } from './system-help.ts';

/** Texts of one node set in one language: nested keys, as i18next reads them. */
export interface Catalogue {
  [key: string]: string | Catalogue;
}

/** The language that every text exists in; the host falls back to it key by key. */
export const sourceLanguage = 'en-US';

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
      await write(
        target,
        name,
        merge(shared, await readCatalogue(source, name)),
        await readHelp(source, name),
      );
    }
    for (const { name } of plugins) await write(target, name, await readCatalogue(source, name), null);
    const common = merge(shared, await readCatalogue(source, '_system'));
    for (const { name, manifest } of systems) {
      const own = await readCatalogue(source, name);
      await write(
        target,
        name,
        merge(merge(common, inSourceLanguage(language, manifest)), own),
        await help(source, manifest),
      );
    }
  }
}

/** The manifest's own texts are English; a translation of them stands in `locales/<language>/<set>.json`. */
function inSourceLanguage(language: string, manifest: SystemManifest): Catalogue {
  return language === sourceLanguage ? systemCatalogue(manifest) : {};
}

async function help(source: string, manifest: SystemManifest): Promise<string | null> {
  const template = await readHelp(source, '_system');
  return template && systemHelp(template, manifest);
}

async function write(target: string, name: string, catalogue: Catalogue, text: string | null): Promise<void> {
  await writeFile(join(target, `${name}.json`), `${JSON.stringify(catalogue, null, 2)}\n`);
  if (text) await writeFile(join(target, `${name}.html`), text);
}

async function readCatalogue(folder: string, name: string): Promise<Catalogue> {
  const file = join(folder, `${name}.json`);
  return existsSync(file) ? JSON.parse(await readFile(file, 'utf8')) : {};
}

async function readHelp(folder: string, name: string): Promise<string | null> {
  const file = join(folder, `${name}.html`);
  return existsSync(file) ? readFile(file, 'utf8') : null;
}

function merge(base: Catalogue, over: Catalogue): Catalogue {
  const merged = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const below = merged[key];
    merged[key] = typeof value === 'object' && typeof below === 'object' ? merge(below, value) : value;
  }
  return merged;
}
