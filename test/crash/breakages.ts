import { cp, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeTemplate } from '../support/pack';

/** The product with one protection taken out: a proof that it holds must notice when it does not. */
export interface Breakage {
  name: string;
  /** Where the protection matters; without it everywhere. */
  store?: 'sqlite' | 'postgres';
  changes: readonly Change[];
}

interface Change {
  file: string;
  /** Text that is in the file exactly once. */
  from: string;
  to: string;
}

const root = join(__dirname, '../..');

export const breakages: readonly Breakage[] = [
  {
    name: 'no-probe',
    changes: [
      {
        file: 'lib/engine/step.ts',
        from: '? await this.probe(run, step, keys, plan, info, counts, lastSentAt, stopping)',
        to: '? (null as Attempt | null)',
      },
    ],
  },
  {
    // The intent is forgotten at once, and written with the outcome.
    name: 'commit-after-call',
    changes: [
      {
        file: 'lib/engine/journal.ts',
        from: '  const uncertain = ',
        to: "  await tx.deleteFrom('step').where('key', '=', keys.key).execute();\n  const uncertain = ",
      },
      {
        file: 'lib/engine/journal-outcomes.ts',
        from: '    await sideBySide([recordRefs(tx, refs, at), updateConfirmed(tx, confirmed)]);',
        to: `    const { system, instance, operation, undo, node } = step;
    await tx.insertInto('step').values({
      ...{ key: keys.key, fingerprint: keys.fingerprint, idempotency_key: keys.idempotencyKey, run_id: runId, run_attempt: 1 },
      ...{ node_id: node.id, node_name: node.name, canonical_id: step.canonicalId, system, instance, operation, undo },
      ...{ wire: seal(tx, 'step', 'wire', keys, '{}'), started_at: at, state: 'intent', calls: 0, probes: 0 },
    }).execute();
    await sideBySide([recordRefs(tx, refs, at), updateConfirmed(tx, confirmed)]);`,
      },
    ],
  },
  {
    name: 'no-flush',
    store: 'sqlite',
    changes: [
      { file: 'lib/store/sqlite.ts', from: '() => handle.datasync());', to: 'async () => void handle);' },
    ],
  },
  {
    // Every running run counts as one of a dead host, and whoever works on a run may write.
    name: 'no-lease-check',
    store: 'postgres',
    changes: [
      {
        file: 'lib/engine/runs.ts',
        from: "isShared(tx) ? running.where('lease_until', '<', at) : running",
        to: '(at, running)',
      },
      {
        file: 'lib/engine/leases.ts',
        from: 'if (!(await this.holdsRun(tx, runId))) throw takenOver();',
        to: 'await this.holdsRun(tx, runId);',
      },
    ],
  },
];

/** A file's text without its part of a protection. @throws Error when what is to be changed is not there exactly once */
export function broken(text: string, { file, from, to }: Change): string {
  const count = text.split(from).length - 1;
  if (count !== 1) throw new Error(`A breakage no longer fits: ${count} times in ${file}: ${from}`);
  return text.replace(from, () => to);
}

/** Packs and installs the product with a protection taken out. @throws Error as `broken` */
export async function brokenTemplate({ changes }: Breakage): Promise<string> {
  const copy = await mkdtemp(join(tmpdir(), 'q2c-broken-'));
  for (const entry of await readdir(root)) {
    if (['.git', 'dist', 'node_modules'].includes(entry)) continue;
    await cp(join(root, entry), join(copy, entry), { recursive: true });
  }
  await symlink(join(root, 'node_modules'), join(copy, 'node_modules'));
  for (const change of changes) {
    const file = join(copy, change.file);
    await writeFile(file, broken(await readFile(file, 'utf8'), change));
  }
  try {
    return await makeTemplate(copy);
  } finally {
    await rm(copy, { recursive: true });
  }
}
