import { cp, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeTemplate } from '../support/pack';

/** The product with one protection taken out: a proof that it holds must notice when it does not. */
export interface Breakage {
  name: string;
  file: string;
  /** Text that is in the file exactly once, and what takes its place. */
  changes: readonly (readonly [from: string, to: string])[];
}

const root = join(__dirname, '../..');

export const breakages: readonly Breakage[] = [
  {
    name: 'no-probe',
    file: 'lib/engine/step.ts',
    changes: [
      [
        'probeNext ? await this.probe(step, keys, plan, info, counts, lastSentAt) : null',
        'null as Attempt | null',
      ],
    ],
  },
  {
    // The intent is forgotten at once, and written with the outcome.
    name: 'commit-after-call',
    file: 'lib/engine/step.ts',
    changes: [
      [
        '(tx) => begin(tx, run, step, keys, this.options.now()),',
        `async (tx) => {
           const begun = await begin(tx, run, step, keys, this.options.now());
           if (begun.do === 'call') await tx.deleteFrom('step').where('key', '=', keys.key).execute();
           return begun;
         },`,
      ],
      [
        '(tx) => confirm(tx, run,',
        `(tx) => begin(tx, run, step, keys, this.options.now()).then(() => tx).then((tx) => confirm(tx, run,`,
      ],
      ['this.options.now(), Date.now() - startedAt),', 'this.options.now(), Date.now() - startedAt)),'],
    ],
  },
  {
    name: 'no-flush',
    file: 'lib/store/sqlite.ts',
    changes: [['await this.log?.datasync();', 'await Promise.resolve();']],
  },
];

/** Packs and installs the product with a protection taken out. @throws Error when the text to change is not there */
export async function brokenTemplate({ name, file, changes }: Breakage): Promise<string> {
  const copy = await mkdtemp(join(tmpdir(), 'q2c-broken-'));
  for (const entry of await readdir(root)) {
    if (['.git', 'dist', 'node_modules'].includes(entry)) continue;
    await cp(join(root, entry), join(copy, entry), { recursive: true });
  }
  await symlink(join(root, 'node_modules'), join(copy, 'node_modules'));
  let text = await readFile(join(copy, file), 'utf8');
  for (const [from, to] of changes) {
    const count = text.split(from).length - 1;
    if (count !== 1) throw new Error(`--break ${name} no longer fits: ${count} times in ${file}: ${from}`);
    text = text.replace(from, () => to);
  }
  await writeFile(join(copy, file), text);
  try {
    return await makeTemplate(copy);
  } finally {
    await rm(copy, { recursive: true });
  }
}
