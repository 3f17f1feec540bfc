import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** Builds the operations page into `<out>/resources/console`; the host serves it from there (nodes/_shared/console-page.ts). */
export async function buildConsole(root: string, out: string): Promise<void> {
  const configFile = join(root, 'console/vite.config.ts');
  if (!existsSync(configFile)) return;
  // Loaded here: a program that only asks what the folders hold need not wait for it.
  const { build } = await import('vite');
  await build({ configFile, logLevel: 'warn', build: { outDir: join(out, 'resources/console') } });
}
