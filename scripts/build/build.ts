import { existsSync } from 'node:fs';
import { cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findProblems } from './check.ts';
import { nodeHtml } from './html.ts';
import { buildLocales } from './locales.ts';
import { buildRuntimes } from './runtime.ts';
import { findSources, type Sources } from './sources.ts';
import { systemHtml } from './system-forms.ts';

export interface BuildResult {
  /** Names of the node sets, sorted. */
  sets: string[];
  /** What is missing or wrong; the pack was built all the same. */
  problems: string[];
}

/** Builds the pack from the sources in `root` into `out` (`dist/`, `examples/`), from nothing. */
export async function buildPack(root: string, out: string): Promise<BuildResult> {
  const sources = await findSources(root);
  const dist = join(out, 'dist');
  await rm(dist, { recursive: true, force: true });
  await mkdir(dist, { recursive: true });
  await Promise.all([
    buildRuntimes(sources, dist),
    buildEditor(sources, dist),
    buildLocales(sources, dist),
    copy(join(root, 'icons'), join(dist, 'icons')),
    copy(join(root, 'flows'), join(out, 'examples')),
  ]);
  const sets = [...sources.nodes, ...sources.systems].map(({ name }) => name).sort();
  return { sets, problems: await findProblems(sources, dist) };
}

async function buildEditor({ root, nodes, systems }: Sources, dist: string): Promise<void> {
  const html = [
    ...nodes.map(async (set) => ({ name: set.name, text: await nodeHtml(root, set) })),
    ...systems.map(async (set) => ({ name: set.name, text: await systemHtml(root, set) })),
  ];
  for (const { name, text } of await Promise.all(html)) await writeFile(join(dist, `${name}.html`), text);
}

async function copy(from: string, to: string): Promise<void> {
  await rm(to, { recursive: true, force: true });
  if (existsSync(from)) await cp(from, to, { recursive: true });
}
