import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import { noteBundled } from './bundled.ts';
import { modelData } from './model-data.ts';
import type { EditorPlugin, NodeSet } from './sources.ts';

export interface Form {
  type: string;
  /** Body of the edit dialog. */
  body: string;
}

/** The editor's file of a node set written by hand. */
export async function nodeHtml(root: string, { name, folder }: NodeSet): Promise<string> {
  const body = await readFile(join(folder, 'form.html'), 'utf8');
  const script = await bundleEditor(root, { entryPoints: [join(folder, 'editor.ts')] });
  return setHtml(root, [{ type: name, body }], script);
}

/** The editor's file of a plugin. */
export async function pluginHtml(root: string, { folder }: EditorPlugin): Promise<string> {
  const style = await readFile(join(folder, 'style.css'), 'utf8');
  const script = await bundleEditor(root, { entryPoints: [join(folder, 'editor.ts')] });
  return `<style>\n${style.trim()}\n</style>\n<script type="text/javascript">\n${script.trim()}\n</script>\n`;
}

/** Style, one template per type, and the script. Each set brings the style: any of them may be disabled. */
export async function setHtml(root: string, forms: Form[], script: string): Promise<string> {
  const style = await readFile(join(root, 'nodes/_shared/editor/forms.css'), 'utf8');
  const templates = forms.map(
    ({ type, body }) => `<script type="text/html" data-template-name="${type}">\n${body.trim()}\n</script>`,
  );
  return [
    `<style>\n${style.trim()}\n</style>`,
    ...templates,
    `<script type="text/javascript">\n${script.trim()}\n</script>`,
    '',
  ].join('\n');
}

type Entry = { entryPoints: string[] } | { stdin: { contents: string; resolveDir: string; loader: 'ts' } };

/** Bundles an editor script for the browser. The platform also makes esbuild escape `</script`. */
export async function bundleEditor(root: string, entry: Entry): Promise<string> {
  const { outputFiles } = await build({
    ...entry,
    bundle: true,
    write: false,
    format: 'iife',
    platform: 'browser',
    target: 'es2022',
    charset: 'utf8',
    legalComments: 'none',
    plugins: [modelData(root), noteBundled],
    logLevel: 'warning',
  });
  return outputFiles[0]?.text ?? '';
}
