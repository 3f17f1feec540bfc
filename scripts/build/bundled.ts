import { sep } from 'node:path';
import type { Plugin as EsbuildPlugin } from 'esbuild';
import type { Plugin as VitePlugin } from 'vite';

/**
 * Folders of the packages whose code the build has put into its output, below the working directory or absolute.
 * Every bundler of the build adds to them: what is published must name them all (notices.ts).
 */
export const bundledPackages = new Set<string>();

/** For esbuild: notes whose code is in the output. Code that was left out as unused does not count. */
export const noteBundled: EsbuildPlugin = {
  name: 'note-bundled',
  setup({ initialOptions, onEnd }) {
    initialOptions.metafile = true;
    onEnd(({ metafile }) => {
      for (const { inputs } of Object.values(metafile?.outputs ?? {})) {
        for (const [path, { bytesInOutput }] of Object.entries(inputs)) if (bytesInOutput > 0) note(path);
      }
    });
  },
};

/** File in Vite's output that says whose code is in it; it is not published. */
export const BUNDLED_BY_VITE = 'bundled-packages.json';

/**
 * The same for Vite, which runs in a process of its own: it leaves a list. Styles and fonts leave no code in a chunk, so
 * every module that it took in counts.
 */
export const noteBundledByVite: VitePlugin = {
  name: 'note-bundled',
  generateBundle() {
    const folders = new Set([...this.getModuleIds()].map(packageFolder).filter((folder) => folder !== null));
    this.emitFile({ type: 'asset', fileName: BUNDLED_BY_VITE, source: JSON.stringify([...folders]) });
  },
};

function note(module: string): void {
  const folder = packageFolder(module);
  if (folder !== null) bundledPackages.add(folder);
}

const MODULES = 'node_modules/';

/** Folder of the package that a module belongs to; null for our own and for what bundlers make up. */
export function packageFolder(module: string): string | null {
  const path = module.split(sep).join('/');
  const start = path.lastIndexOf(MODULES);
  // Bundlers mark modules of their own by a null character.
  if (start < 0 || path.includes('\0')) return null;
  const [first = '', second = ''] = path.slice(start + MODULES.length).split('/');
  const name = first.startsWith('@') ? `${first}/${second}` : first;
  return path.slice(0, start + MODULES.length) + name;
}
