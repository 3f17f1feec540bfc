import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadSystem, manifests, type SystemId } from '../lib/systems';
import { systemReference, withReference } from './docs/system-page';

/** `npm run docs`: writes the reference part of each system's page anew. */
async function main(): Promise<void> {
  for (const id of Object.keys(manifests) as SystemId[]) {
    const file = join(__dirname, '../docs/systems', `${id}.md`);
    const before = readFileSync(file, 'utf8');
    const after = withReference(before, systemReference(await loadSystem(id)));
    if (after !== before) writeFileSync(file, after);
    console.log(`docs/systems/${id}.md ${after === before ? 'is up to date' : 'written'}`);
  }
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
