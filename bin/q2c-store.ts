#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { Q2cError } from '../lib/model';
import { type EvidencePack, isEvidence, verifyEvidence } from '../lib/observe/evidence';
import { checkAudit } from '../lib/store/audit';
import { backupStore, restoreStore } from '../lib/store/backup';
import { keyringFromEnv } from '../lib/store/keyring';
import { settingsOfUrl } from '../lib/store/postgres/settings';
import { attachPostgresStore } from '../lib/store/postgres/store';
import { rotateKeys } from '../lib/store/rotation';
import type { Store } from '../lib/store/store';
import { openStoreFile } from '../lib/store/tool';

/** `npx q2c-store`: what an operator does with a store from the command line (docs/operations/store.md). */

const USAGE = `Usage: q2c-store <command> [--store STORE] [options]

  backup --to FILE      copy a store file into a new one, while the host goes on
  restore --from FILE   put a checked backup in the place of the store file; the host must be stopped
  verify-audit          check that no line of the audit was changed or taken out
  verify-evidence --from FILE
                        check that the evidence of a deal is as it was made, and still in the audit
  rotate-key            encrypt everything with Q2C_ENCRYPTION_KEY; former keys in Q2C_ENCRYPTION_KEYS_OLD

  --store STORE         file of the store, such as ~/.node-red/quote-to-cash/q2c.db, or its PostgreSQL, as
                        postgresql://user@host:5432/database?sslmode=verify-full; else the variable Q2C_STORE
                        has it, which may hold the password too
  --schema NAME         schema of a store on PostgreSQL; quote_to_cash when not given
  --ca FILE             certificate (PEM) of the authority that signed the server's, if it is one of your own
  --json                print one JSON object
  --help                this text

Ends with 0 when all is well, 1 when the audit chain, evidence or a backup is damaged, 2 when the command could not be run.`;

interface Options {
  store: string;
  schema?: string;
  ca?: string;
  to?: string;
  from?: string;
}

/** What a command found: told as a sentence, or as JSON. */
interface Outcome {
  ok: boolean;
  sentence: string;
  facts: object;
}

const COMMANDS: Record<string, (options: Options) => Promise<Outcome>> = {
  async 'verify-evidence'(options) {
    const file = required('from', options.from);
    const pack = await readEvidence(file);
    const opened = await openStore(options, { readOnly: true });
    try {
      const check = await verifyEvidence(pack, opened.db);
      const sentence = check.intact
        ? `${file} is as it was made, and its ${pack.audit.length} lines are in the audit.`
        : `${file} does not hold: ${check.problems.join('; ')}.`;
      return { ok: check.intact, facts: check, sentence };
    } finally {
      await opened.close();
    }
  },

  async backup({ store, to }) {
    requireFile(store);
    const facts = { file: required('to', to), ...(await backupStore(store, required('to', to))) };
    const keys = facts.keys.length === 0 ? '' : ` It opens only with the key ${facts.keys.join(', ')}.`;
    return { ok: true, facts, sentence: `${store} was copied to ${facts.file} and checked.${keys}` };
  },

  async restore({ store, from }) {
    requireFile(store);
    const facts = await restoreStore(required('from', from), store, new Date().toISOString());
    const kept = facts.replaced === null ? '' : ` The replaced store is kept as ${facts.replaced}.`;
    return { ok: true, facts, sentence: `${from} was restored to ${store}.${kept}` };
  },

  async 'verify-audit'(options) {
    const opened = await openStore(options, { readOnly: true });
    try {
      const check = await checkAudit(opened.db);
      const { brokenAt, lines, head } = check;
      const sentence =
        brokenAt === null
          ? `The audit is intact: ${lines} lines, the last with hash ${head}.`
          : `The audit is broken at line ${brokenAt}: that line, or one before it, was changed or taken out.`;
      return { ok: brokenAt === null, facts: { intact: brokenAt === null, ...check }, sentence };
    } finally {
      await opened.close();
    }
  },

  async 'rotate-key'(options) {
    const keys = keyringFromEnv(process.env);
    if (keys === null) throw new UsageError('Set the new key in Q2C_ENCRYPTION_KEY.');
    const opened = await openStore(options, { readOnly: false });
    try {
      const resealed = await rotateKeys(opened, keys, {
        actor: 'q2c-store',
        now: () => opened.now(),
      });
      const values = Object.values(resealed).reduce((sum, count) => sum + count, 0);
      const sentence = `${values} values were encrypted anew; the store now needs only key ${keys.currentId}.`;
      return { ok: true, facts: { key: keys.currentId, values: resealed }, sentence };
    } finally {
      await opened.close();
    }
  },
};

class UsageError extends Error {}

async function readEvidence(file: string): Promise<EvidencePack> {
  const content: unknown = await readFile(file, 'utf8')
    .then(JSON.parse)
    .catch(() => null);
  if (isEvidence(content)) return content;
  throw new UsageError(`${file} is not the evidence of a deal, as the page of the deal exports it in JSON.`);
}

const isUrl = (store: string): boolean => /^\w+:\/\//.test(store);

function requireFile(store: string): void {
  if (!isUrl(store)) return;
  throw new UsageError(
    'The store must be a file; one on a server is backed up with the tools of PostgreSQL.',
  );
}

async function openStore(
  { store, schema, ca }: Options,
  { readOnly }: { readOnly: boolean },
): Promise<Store> {
  if (!isUrl(store)) return openStoreFile(store, { readOnly });
  return attachPostgresStore({
    ...settingsOfUrl(store),
    ...(schema === undefined ? {} : { schema }),
    ...(ca === undefined ? {} : { ca: certificate(ca) }),
  });
}

function certificate(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageError(
      `The certificate cannot be read: ${error instanceof Error ? error.message : error}.`,
    );
  }
}

/** @param given on the command line, which other users of the machine can read */
function storeOf(given: string | undefined): string {
  const store = given ?? process.env.Q2C_STORE ?? '';
  if (store === '') throw new UsageError('Name the store with --store, or in the variable Q2C_STORE.');
  if (given !== undefined && URL.canParse(given) && new URL(given).password !== '') {
    throw new UsageError(
      'The store holds a password that others on this machine can see. Set Q2C_STORE instead.',
    );
  }
  return store;
}

function required(name: string, value: string | undefined): string {
  if (value === undefined || value === '') throw new UsageError(`--${name} FILE is missing.`);
  return value;
}

function read(args: string[]): {
  command: string | undefined;
  json: boolean;
  help: boolean;
  store: string | undefined;
  options: Omit<Options, 'store'>;
} {
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        store: { type: 'string' },
        schema: { type: 'string' },
        ca: { type: 'string' },
        to: { type: 'string' },
        from: { type: 'string' },
        json: { type: 'boolean' },
        help: { type: 'boolean' },
      },
    });
    const { json = false, help = false, store, ...options } = values;
    return { command: positionals[0], json, help, store, options };
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

async function main(args: string[]): Promise<number> {
  const { command, json, help, store, options } = read(args);
  if (help) {
    console.log(USAGE);
    return 0;
  }
  const run = command === undefined ? undefined : COMMANDS[command];
  if (run === undefined) throw new UsageError(`There is no command "${command ?? ''}".`);
  const { ok, sentence, facts } = await run({ ...options, store: storeOf(store) });
  console.log(json ? JSON.stringify({ command, ok, ...facts }) : sentence);
  return ok ? 0 : 1;
}

function report(error: unknown): number {
  const { code, message } =
    error instanceof UsageError
      ? { code: 'USAGE', message: `${error.message}\n\n${USAGE}` }
      : error instanceof Q2cError
        ? error
        : { code: 'UNEXPECTED', message: error instanceof Error ? (error.stack ?? '') : String(error) };
  if (process.argv.includes('--json')) console.log(JSON.stringify({ ok: false, error: { code, message } }));
  else console.error(code === 'USAGE' ? message : `${code}: ${message}`);
  return code === 'STORE_BACKUP_INVALID' ? 1 : 2;
}

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    process.exitCode = report(error);
  },
);
