import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { listCases, runReport } from '../../lib/api/reports';
import { doOnce } from '../../lib/api/requests';
import type { DispatchedRun, Engine, Step } from '../../lib/engine';
import { insertCorrection, keepDocument } from '../../lib/engine/correction-rows';
import { placeOf, saveDecision } from '../../lib/engine/decisions';
import { recordRejected } from '../../lib/events/rejected';
import { businessEvent, type JsonObject, newId } from '../../lib/model';
import { keyringFromEnv, obtainToken, openSqliteStore, type Store, seal, verifyAudit } from '../../lib/store';
import { SEALED } from '../../lib/store/encryption';
import { type Keyring, sealingKey } from '../../lib/store/keyring';
import { rotateKeys } from '../../lib/store/rotation';
import { openStoreFile } from '../../lib/store/tool';
import { FakeVendor, fail, startEngine, until } from '../support/engine';

const [first, second] = [randomBytes(32).toString('base64'), randomBytes(32).toString('hex')];
/** Stands in every payload that the tests write. */
const SECRET = 'Geheimnis GmbH';

function keysOf(current: string, old = ''): Keyring {
  const keys = keyringFromEnv({ Q2C_ENCRYPTION_KEY: current, Q2C_ENCRYPTION_KEYS_OLD: old });
  if (keys === null) throw new Error('no key');
  return keys;
}

let folder: string;
let path: string;
let engine: Engine;
let store: Store;
let stop: () => Promise<void>;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'q2c-encryption-'));
  path = join(folder, 'q2c.db');
  stop = async () => undefined;
});
afterEach(async () => {
  await stop();
  rmSync(folder, { recursive: true, force: true });
});

async function start(keys: Keyring | null): Promise<void> {
  await stop();
  ({ engine, store, stop } = await startEngine({ store: await openSqliteStore(path, keys) }));
}

/** Plays one deal per vendor call that the script names; every payload column gets a value. */
async function work(label: string): Promise<string[]> {
  const vendor = new FakeVendor();
  const ended: string[] = [];
  const calls: Record<string, Partial<Step>> = {
    through: {
      call: async () => ({ reply: { name: SECRET }, result: { refs: [], merge: { name: SECRET } } }),
    },
    refused: { call: () => Promise.reject(fail('rejected', 'TARGET_REJECTED')) },
  };
  async function send(run: DispatchedRun): Promise<void> {
    const active = engine.activeRun(run.id);
    if (active === undefined) throw new Error(`${run.id} is not under way`);
    engine.messageEntered(active);
    expect(run.event.data).toMatchObject({ customer: SECRET });
    const about = { params: { system: 'ERP', document: SECRET }, ownerRole: 'finance_ops' };
    const step = vendor.step({ wire: { name: SECRET }, about, ...calls[String(run.event.data.deal)] });
    const customer = { id: step.canonicalId, externalRefs: [], legalName: SECRET };
    const id = `${run.event.id}-told`;
    const correlationId = run.correlationId;
    const data: JsonObject = { customer, changed: [] };
    await engine.announce(
      businessEvent('q2c.customer.created.v1', {
        tenant: 'test',
        component: 'flow',
        id,
        correlationId,
        data,
      }),
    );
    await engine.step(run.id, step).catch((error: Error) => {
      if (!('caseId' in error)) throw error;
    });
    await rejectEvent(id);
    await decide(run, step);
    engine.messageLeft(active);
    ended.push(run.id);
  }
  const leave = engine.registerSource(label, 4, (run) => void send(run));
  await engine.accept({
    sourceNode: label,
    system: 'crm',
    instance: 'org',
    source: '/q2c/test/crm',
    cursor: 'c',
    events: Object.keys(calls).map((deal) => ({
      id: `${label}-${deal}`,
      type: 'q2c.opportunity.won.v1',
      time: '2026-01-05T10:00:00.000Z',
      subject: { entity: 'opportunity', type: 'Opportunity', id: `${label}-${deal}` },
      title: `Deal ${deal}`,
      data: { deal, customer: SECRET },
    })),
  });
  await until('the runs have ended', async () => ended.length === 2 && (await unfinished()) === 0);
  leave();
  await waitFor(label);
  await logIn(label);
  return ended;
}

/** Two messages of a run wait for an event; one of them gets it. */
async function waitFor(label: string): Promise<void> {
  const active = await engine.oneOff('inject', newId('opportunity'), 'By hand');
  engine.messageEntered(active);
  const wait = (key: string) =>
    engine.wait(active.run.id, {
      node: { id: 'wait', name: 'Wait' },
      event: 'approval',
      key,
      parent: 0,
      deadline: null,
      onTimeout: 'send',
      earlier: 'once',
      holdsOrder: true,
      message: { name: SECRET },
      about: { params: {}, ownerRole: 'sales_ops' },
    });
  await engine.signal({ event: 'approval', key: label, actor: 'mia', data: { name: SECRET } });
  expect(await wait(label)).toMatchObject({ outcome: { event: { data: { name: SECRET } } } });
  expect(await wait(`${label}, never`)).toBeNull();
  engine.messageLeft(active);
  await until('the run to wait', async () => {
    const run = await store.db.selectFrom('run').select('state').where('id', '=', active.run.id);
    return (await run.executeTakeFirst())?.state === 'waiting';
  });
}

/** An event from a broker that cannot be accepted, and whose payload is kept. */
async function rejectEvent(id: string): Promise<void> {
  const message = { topic: id, payload: Buffer.from(JSON.stringify({ name: SECRET })), properties: {} };
  const refused = { reason: 'no CloudEvent', id, source: null, type: null };
  await store.write((tx) => recordRejected(tx, 'node', message, refused, new Date().toISOString()));
}

/** A connection gets an access token. */
async function logIn(connection: string): Promise<void> {
  const place = { name: connection, credentials: 'c' };
  await obtainToken(
    store,
    place,
    () => true,
    async () => ({ value: SECRET, expiresAt: null }),
  );
}

/** A person corrects what a step sends. */
async function decide(run: DispatchedRun, step: Step): Promise<void> {
  const made = { actor: 'kim', reason: 'agreed', at: new Date().toISOString() };
  const correction = { patch: { name: SECRET } };
  await store.write((tx) => saveDecision(tx, placeOf(run, step), { kind: 'correct', correction, ...made }));
  const id = `approval-${run.id}`;
  const request = JSON.stringify({ action: 'correct', correction });
  await store.write((tx) =>
    tx
      .insertInto('case_approval')
      .values({
        id,
        case_id: `case-of-${run.id}`,
        state: 'pending',
        request: seal(tx, 'case_approval', 'request', { id }, request),
        because: 'The case is about money.',
        policy_version: 'default',
        reason: 'agreed',
        requested_by: 'kim',
        requested_at: made.at,
        decided_by: null,
        decided_at: null,
        note: null,
      })
      .execute(),
  );
  const about = { record: step.canonicalId, caseId: id, runId: run.id, path: 'legalName' };
  await store.write(async (tx) => {
    await insertCorrection(tx, run.correlationId, { id, ...about, ...made, before: null, after: SECRET });
    const customer = { id: step.canonicalId, externalRefs: [], legalName: SECRET };
    await keepDocument(tx, run, step.node.id, { customer }, made.at);
  });
  const asked = { caller: 'kim', key: run.id, route: 'getCase', body: {} };
  await doOnce(store, asked, async () => ({ status: 200, body: { name: SECRET } }), true);
}

async function unfinished(): Promise<number> {
  const rows = await store.db
    .selectFrom('run')
    .select('id')
    .where('state', 'in', ['queued', 'running'])
    .execute();
  return rows.length;
}

/** Ids of the keys under which the values of all payload columns are kept; `plain` for readable ones. */
function keyIds(): Record<string, string[]> {
  const database = new DatabaseSync(path, { readOnly: true });
  const found: Record<string, string[]> = {};
  for (const [table, { columns }] of Object.entries(SEALED)) {
    for (const column of columns) {
      const rows = database.prepare(`select ${column} as value from ${table}`).all();
      const texts = rows.map(({ value }) => value).filter((value) => typeof value === 'string');
      found[`${table}.${column}`] = [...new Set(texts.map((text) => sealingKey(text) ?? 'plain'))];
    }
  }
  database.close();
  return found;
}

const allUnder = (id: string) =>
  Object.fromEntries(
    Object.entries(SEALED).flatMap(([table, { columns }]) =>
      columns.map((column) => [`${table}.${column}`, [id]]),
    ),
  );

const onDisk = () => readFileSync(path, 'latin1') + readFileSync(`${path}-wal`, 'latin1');

test('no payload is readable on the disk, and everything works as without a key', async () => {
  const keys = keysOf(first);
  await start(keys);
  const [through] = await work('one');
  expect(keyIds()).toEqual(allUnder(keys.currentId));
  expect(onDisk()).not.toContain(SECRET);
  expect(onDisk()).toContain('Deal through');

  const report = await runReport(store, through ?? '');
  expect(report).toMatchObject({ state: 'completed', steps: [{ state: 'confirmed', error: null }] });
  const [open] = await listCases(store, { open: true, limit: 10 });
  expect(open?.message).toBe(`ERP refused ${SECRET}: vendor said rejected.`);
  expect(await verifyAudit(store)).toBeNull();
});

test('without a key everything stays readable', async () => {
  await start(null);
  await work('one');
  expect(keyIds()).toEqual(allUnder('plain'));
  expect(onDisk()).toContain(SECRET);
});

test('the audit, which is kept for ever, names no customer even without a key', async () => {
  await start(null);
  await work('one');
  const lines = await store.db.selectFrom('audit').selectAll().execute();
  expect(lines.map(({ action }) => action)).toContain('case.opened');
  expect(JSON.stringify(lines)).not.toContain(SECRET);
});

test.each<[string, () => Keyring | null]>([
  ['another key', () => keysOf(second)],
  ['no key', () => null],
])('%s than the one of the store is refused at the start, and nothing is written', async (_, keys) => {
  await start(keysOf(first));
  await work('one');
  await stop();
  stop = async () => undefined;
  const before = readFileSync(path);
  await expect(openSqliteStore(path, keys())).rejects.toMatchObject({
    code: 'STORE_KEY_WRONG',
    message: expect.stringContaining(keysOf(first).currentId),
  });
  expect(readFileSync(path).equals(before)).toBe(true);
});

test.each([
  ['too short', { Q2C_ENCRYPTION_KEY: 'abc' }],
  ['a passphrase', { Q2C_ENCRYPTION_KEY: 'correct horse battery staple' }],
  ['only a former key', { Q2C_ENCRYPTION_KEYS_OLD: first }],
  ['a bad former key', { Q2C_ENCRYPTION_KEY: first, Q2C_ENCRYPTION_KEYS_OLD: `${second},x` }],
])('a key that is no key is refused: %s', (_, env) => {
  const attempt = () => keyringFromEnv(env);
  expect(attempt).toThrow(expect.objectContaining({ code: 'STORE_KEY_WRONG' }));
  expect(attempt).not.toThrow(new RegExp(`abc|horse|${second}`));
});

test('a value moved to another row does not open there', async () => {
  await start(keysOf(first));
  const [one] = await work('one');
  await work('two');
  const foreign = store.db
    .selectFrom('step')
    .select('result')
    .orderBy('seq', 'desc')
    .where('result', 'is not', null);
  await store.write((tx) =>
    tx
      .updateTable('step')
      .set({ result: foreign.limit(1) })
      .where('run_id', '=', one ?? '')
      .execute(),
  );
  await expect(runReport(store, one ?? '')).rejects.toMatchObject({ code: 'STORE_KEY_WRONG' });
});

test('an answer of an earlier run is sealed for the row it is copied to', async () => {
  await start(keysOf(first));
  const vendor = new FakeVendor();
  const canonicalId = newId('customer');
  const runs = await Promise.all(['a', 'b'].map((node) => engine.oneOff(node, newId('opportunity'), 'Deal')));
  const outcomes = [];
  for (const { run } of runs) {
    outcomes.push(await engine.step(run.id, vendor.step({ canonicalId, node: { id: run.id, name: 'N' } })));
  }
  expect(outcomes.map(({ origin }) => origin)).toEqual(['call', 'earlier_run']);
  const replayed = await engine.step(
    runs[1]?.run.id ?? '',
    vendor.step({ canonicalId, node: { id: runs[1]?.run.id ?? '', name: 'N' } }),
  );
  expect(replayed).toMatchObject({ origin: 'replayed', evidence: { id: 'v1' } });
});

describe('rotation', () => {
  const options = { actor: 'operator', now: () => new Date().toISOString() };

  test('puts old and readable values under the new key while the host goes on', async () => {
    await start(null);
    await work('plain');
    await start(keysOf(first));
    await work('first');
    const keys = keysOf(second, first);
    await start(keys);
    await work('second');
    expect(keyIds()['step.wire']?.sort()).toEqual(['plain', keysOf(first).currentId, keys.currentId].sort());

    // As the command does it: on a connection of its own.
    const tool = await openStoreFile(path, { readOnly: false });
    const [counts] = await Promise.all([rotateKeys(tool, keys, options), work('meanwhile')]);
    await tool.close();
    expect(counts).toMatchObject({ event: 4, outbox: 4 });
    expect(keyIds()).toEqual(allUnder(keys.currentId));
    expect(await verifyAudit(store)).toBeNull();

    await start(keysOf(second));
    const cases = await listCases(store, { open: true, limit: 10 });
    expect(cases).toHaveLength(4);
    expect(cases.every(({ message }) => message.includes(SECRET))).toBe(true);
  });

  test('is refused as long as the host seals with the former key', async () => {
    await start(keysOf(first));
    await work('first');
    await expect(rotateKeys(store, keysOf(second, first), options)).rejects.toMatchObject({
      code: 'STORE_KEY_WRONG',
      message: expect.stringContaining('Start the host with it first'),
    });
    expect(keyIds()).toEqual(allUnder(keysOf(first).currentId));
  });

  test('broken off, it can be begun again', async () => {
    await start(keysOf(first));
    for (const label of Array.from({ length: 40 }, (_, index) => `n${index}`)) await work(label);
    const keys = keysOf(second, first);
    await start(keys);
    let writes = 0;
    const breaking: Store = {
      ...store,
      write: (job) => (++writes > 2 ? Promise.reject(new Error('pulled the plug')) : store.write(job)),
    };
    await expect(rotateKeys(breaking, keys, options)).rejects.toThrow('pulled the plug');
    expect(new Set(Object.values(keyIds()).flat()).size).toBe(2);
    await start(keys);
    await rotateKeys(store, keys, options);
    expect(keyIds()).toEqual(allUnder(keys.currentId));
  });
});
