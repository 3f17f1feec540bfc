import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { loadSystem, manifests, type SystemId } from '../lib/systems';
import { systemReference, withReference } from './docs/system-page';
import { tenantFiles } from './tenant/files';

/** `npm run docs`: writes the reference part of each system's page, and the metadata of its tenant, anew. */
async function main(): Promise<void> {
  for (const id of Object.keys(manifests) as SystemId[]) {
    const file = join(__dirname, '../docs/systems', `${id}.md`);
    const before = readFileSync(file, 'utf8');
    const after = withReference(before, systemReference(await loadSystem(id)));
    if (after !== before) writeFileSync(file, after);
    console.log(`docs/systems/${id}.md ${after === before ? 'is up to date' : 'written'}`);
    writeTenantFiles(id);
  }
}

/** What an administrator deploys in the vendor, to be read and changed; the build packs it. */
function writeTenantFiles(id: SystemId): void {
  const folder = join(__dirname, '../tenant', id);
  rmSync(folder, { recursive: true, force: true });
  for (const [path, text] of tenantFiles(manifests[id])) {
    const file = join(folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
