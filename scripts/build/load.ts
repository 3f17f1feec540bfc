import { createRequire } from 'node:module';
import { compileFunction, constants } from 'node:vm';
import { build } from 'esbuild';

/**
 * Bundles a TypeScript module of the repository (imports without extensions, JSON) and evaluates it here.
 * Packages are required from `node_modules`, not bundled.
 */
export async function loadModule(entry: string): Promise<Record<string, unknown>> {
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    format: 'cjs',
    platform: 'node',
    target: 'node22',
    packages: 'external',
    sourcemap: 'inline',
    logLevel: 'warning',
  });
  const code = outputFiles[0]?.text ?? '';
  const evaluate = compileFunction(code, ['module', 'exports', 'require'], {
    filename: entry,
    importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  });
  const module = { exports: {} };
  evaluate(module, module.exports, createRequire(entry));
  return module.exports;
}
