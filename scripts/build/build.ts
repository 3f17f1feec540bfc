import { existsSync } from 'node:fs';
import { cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tenantFiles } from '../tenant/files.ts';
import { bundledPackages } from './bundled.ts';
import { findProblems } from './check.ts';
import { buildConsole } from './console.ts';
import { setForms } from './forms.ts';
import { pluginHtml } from './html.ts';
import { buildLocales } from './locales.ts';
import { NOTICES, thirdPartyNotices } from './notices.ts';
import { buildRuntimes } from './runtime.ts';
import { findSources, type Sources } from './sources.ts';
import { updateWrittenFiles } from './written.ts';
import { zipOf } from './zip.ts';

export interface BuildOptions {
  root: string;
  /** Where `dist/`, `examples/`, `resources/` and the notices are made, from nothing. */
  out: string;
  /** Files of the repository that are out of step with its folders are problems instead of being written. */
  check: boolean;
}

export interface BuildResult {
  /** Number of node sets. */
  sets: number;
  /** What is missing or wrong; the pack was built all the same. */
  problems: string[];
}

/** @throws when something cannot be built at all. */
export async function buildPack({ root, out, check }: BuildOptions): Promise<BuildResult> {
  const sources = await findSources(root);
  const outOfStep = await updateWrittenFiles(sources, !check);
  const dist = join(out, 'dist');
  await rm(dist, { recursive: true, force: true });
  await mkdir(dist, { recursive: true });
  const forms = await setForms(sources);
  await Promise.all([
    buildRuntimes(sources, forms, dist),
    buildEditor(sources, forms, dist),
    buildLocales(sources, dist),
    copy(join(root, 'icons'), join(dist, 'icons')),
    copy(join(root, 'flows'), join(out, 'examples')),
    buildConsole(root, out),
    buildTenantFiles(sources, out),
    copyExamples(sources, out),
  ]);
  const notices = await thirdPartyNotices(bundledPackages);
  await writeFile(join(out, NOTICES), notices.text);
  return {
    sets: sources.nodes.length + sources.systems.length,
    problems: [
      ...outOfStep.map((path) => `${path} is out of step with the folders: run \`npm run build\``),
      ...(await findProblems(sources, dist)),
      ...notices.problems,
    ],
  };
}

async function buildEditor(
  { root, plugins }: Sources,
  forms: ReadonlyMap<string, string>,
  dist: string,
): Promise<void> {
  const added = plugins.map(async (plugin) => [plugin.name, await pluginHtml(root, plugin)] as const);
  for (const [name, html] of [...forms, ...(await Promise.all(added))]) {
    await writeFile(join(dist, `${name}.html`), html);
  }
}

/** `resources/tenant/<system>.zip`, which forms and pages of systems link to. */
async function buildTenantFiles({ systems }: Sources, out: string): Promise<void> {
  const folder = join(out, 'resources/tenant');
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  for (const { manifest } of systems) {
    const files = tenantFiles(manifest);
    if (files.size > 0) await writeFile(join(folder, `${manifest.id}.zip`), zipOf(files));
  }
}

/** `resources/examples/<system>.json`: forms fetch them when somebody wants to see one. */
async function copyExamples({ root, systems }: Sources, out: string): Promise<void> {
  const folder = join(out, 'resources/examples');
  await mkdir(folder, { recursive: true });
  for (const { manifest } of systems) {
    const file = join(root, 'lib/systems', manifest.id, 'examples.json');
    if (existsSync(file)) await cp(file, join(folder, `${manifest.id}.json`));
  }
}

async function copy(from: string, to: string): Promise<void> {
  await rm(to, { recursive: true, force: true });
  if (existsSync(from)) await cp(from, to, { recursive: true });
}
