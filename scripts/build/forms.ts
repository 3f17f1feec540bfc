import { nodeHtml } from './html.ts';
import type { Sources } from './sources.ts';
import { systemHtml } from './system-forms.ts';

/** The editor's files of all node sets, by name of the set. */
export async function setForms({ root, nodes, systems }: Sources): Promise<Map<string, string>> {
  const forms = await Promise.all([
    ...nodes.map(async (set): Promise<[string, string]> => [set.name, await nodeHtml(root, set)]),
    ...systems.map(async (set): Promise<[string, string]> => [set.name, await systemHtml(root, set)]),
  ]);
  return new Map(forms);
}
