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

const JOURNAL = 'lib/engine/journal.ts';

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
        file: JOURNAL,
        from: '  const uncertain = ',
        to: "  await tx.deleteFrom('step').where('key', '=', keys.key).execute();\n  const uncertain = ",
      },
      {
        file: JOURNAL,
        from: '  await recordRefs(tx, answer.reply.result.refs, at);',
        to: `  await insertIntent(tx, identityOf(tx, run, step, keys, at));
             await recordRefs(tx, answer.reply.result.refs, at);`,
      },
    ],
  },
  {
    name: 'no-flush',
    store: 'sqlite',
    changes: [{ file: 'lib/store/sqlite.ts', from: '() => log.datasync()', to: 'async () => undefined' }],
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

/** Packs and installs the product with a protection taken out. @throws Error when the text to change is not there */
export async function brokenTemplate({ name, changes }: Breakage): Promise<string> {
  const copy = await mkdtemp(join(tmpdir(), 'q2c-broken-'));
  for (const entry of await readdir(root)) {
    if (['.git', 'dist', 'node_modules'].includes(entry)) continue;
    await cp(join(root, entry), join(copy, entry), { recursive: true });
  }
  await symlink(join(root, 'node_modules'), join(copy, 'node_modules'));
  for (const { file, from, to } of changes) {
    const text = await readFile(join(copy, file), 'utf8');
    const count = text.split(from).length - 1;
    if (count !== 1) throw new Error(`--break ${name} no longer fits: ${count} times in ${file}: ${from}`);
    await writeFile(
      join(copy, file),
      text.replace(from, () => to),
    );
  }
  try {
    return await makeTemplate(copy);
  } finally {
    await rm(copy, { recursive: true });
  }
}
