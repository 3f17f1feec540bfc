import { CaseOpened, type Engine } from '../../../lib/engine';
import { newId } from '../../../lib/model';
import { type Store, verifyAudit } from '../../../lib/store';
import { FakeVendor, fail, startEngine } from '../../support/engine';

let engine: Engine;
let store: Store;
let stop: () => Promise<void>;
let vendor: FakeVendor;

beforeEach(async () => {
  ({ engine, store, stop } = await startEngine());
  vendor = new FakeVendor();
});
afterEach(() => stop());

const newRun = async () => (await engine.oneOff('source', newId('opportunity'), 'Deal')).run.id;
const steps = () => store.db.selectFrom('step').selectAll().orderBy('seq').execute();
const cases = () => store.db.selectFrom('exception_case').selectAll().execute();

test('a confirmed step is answered from the journal, without a second call', async () => {
  const run = await newRun();
  const step = vendor.step();
  expect((await engine.step(run, step)).origin).toBe('call');
  expect((await engine.step(run, step)).origin).toBe('replayed');
  expect(vendor.calls).toBe(1);
});

test('the intent is journaled before the call leaves', async () => {
  const run = await newRun();
  let seen = '';
  vendor.script = [
    async (write) => {
      seen = (await steps())[0]?.state ?? 'nothing';
      return vendor.reply(write());
    },
  ];
  await engine.step(run, vendor.step());
  expect(seen).toBe('intent');
});

test('a lost reply is probed and the record adopted: one record, no second call', async () => {
  const run = await newRun();
  vendor.script = [
    (write) => {
      write();
      throw fail('unknown');
    },
  ];
  expect((await engine.step(run, vendor.step())).origin).toBe('probe');
  expect([vendor.calls, vendor.probes, vendor.records.size]).toEqual([1, 1, 1]);
  expect(await steps()).toMatchObject([{ state: 'confirmed', origin: 'probe', calls: 1, probes: 1 }]);
});

test('a lost request is probed, not found, and sent again', async () => {
  const run = await newRun();
  vendor.script = [
    () => {
      throw fail('unknown');
    },
  ];
  expect((await engine.step(run, vendor.step())).origin).toBe('call');
  expect([vendor.calls, vendor.probes, vendor.records.size]).toEqual([2, 1, 1]);
});

test('an update whose reply was lost is sent again: finding the old record proves nothing', async () => {
  const canonicalId = newId('customer');
  const known = { system: 'erp', instance: 'main', type: 'customer', id: 'v1', role: 'copy' as const };
  vendor.records.set(canonicalId, 'v1');
  vendor.script = [
    () => ({ reply: {}, result: { refs: [{ id: canonicalId, entity: 'customer', ref: known }] } }),
  ];
  await engine.step(await newRun(), vendor.step({ canonicalId }));
  vendor.script = [
    () => {
      throw fail('unknown');
    },
  ];
  await engine.step(await newRun(), vendor.step({ canonicalId, wire: { name: 'ACME 2' } }));
  expect([vendor.calls, vendor.probes]).toEqual([3, 1]);
});

test('when the probe cannot decide, nothing is sent again and a case opens', async () => {
  const run = await newRun();
  vendor.script = [
    () => {
      throw fail('unknown', 'OUTCOME_UNKNOWN');
    },
  ];
  const step = vendor.step({
    probe: () => {
      throw fail('unknown', 'OUTCOME_UNKNOWN');
    },
  });
  await expect(engine.step(run, step)).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN' });
  expect(vendor.calls).toBe(1);
  expect(await steps()).toMatchObject([{ state: 'unknown' }]);
  expect(await cases()).toMatchObject([
    { code: 'OUTCOME_UNKNOWN', owner_role: 'integration_ops', state: 'open' },
  ]);
});

test('a probe that is itself rate-limited leaves the outcome unknown', async () => {
  const run = await newRun();
  vendor.script = [
    () => {
      throw fail('unknown', 'OUTCOME_UNKNOWN');
    },
  ];
  const step = vendor.step({
    probe: () => {
      throw fail('rate_limited', 'RATE_LIMITED');
    },
  });
  await expect(engine.step(run, step)).rejects.toMatchObject({ code: 'RATE_LIMITED' });
  expect(await steps()).toMatchObject([{ state: 'unknown', calls: 1 }]);
});

test('a refusal is final: no retry, a case with the plain reason and the amount at risk', async () => {
  const run = await newRun();
  vendor.script = [
    () => {
      throw fail('rejected', 'TARGET_REJECTED');
    },
  ];
  const about = {
    params: { system: 'ERP', document: 'customer ACME' },
    ownerRole: 'finance_ops',
    amountAtRisk: { amount: '100.00', currency: 'EUR' },
  };
  const error = await engine.step(run, vendor.step({ about })).catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(CaseOpened);
  expect(vendor.calls).toBe(1);
  expect(await cases()).toMatchObject([
    {
      code: 'TARGET_REJECTED',
      message: 'ERP refused customer ACME: vendor said rejected.',
      owner_role: 'finance_ops',
      amount_at_risk: '100.00',
      currency: 'EUR',
    },
  ]);
});

test('a transient failure is retried; the wish of the vendor is a lower bound', async () => {
  const run = await newRun();
  const limited = fail('rate_limited', 'RATE_LIMITED');
  limited.failure.retryAfterMs = 60;
  vendor.script = [
    () => {
      throw limited;
    },
  ];
  const before = Date.now();
  await engine.step(run, vendor.step());
  expect(Date.now() - before).toBeGreaterThanOrEqual(59);
  expect([vendor.calls, vendor.probes]).toEqual([2, 0]);
});

test('retries are bounded, then a case opens', async () => {
  const run = await newRun();
  vendor.script = Array.from({ length: 10 }, () => () => {
    throw fail('transient');
  });
  await expect(engine.step(run, vendor.step())).rejects.toMatchObject({ code: 'TARGET_UNAVAILABLE' });
  expect(vendor.calls).toBe(4);
  expect(await steps()).toMatchObject([{ state: 'failed', calls: 4 }]);
});

test('without a key of ours in the vendor, a probe goes before the first call too', async () => {
  const canonicalId = newId('project');
  vendor.records.set(canonicalId, 'made elsewhere');
  const step = vendor.step({ canonicalId, probeFirst: true, updates: false, operation: 'project.create' });
  expect((await engine.step(await newRun(), step)).origin).toBe('probe');
  expect(vendor.calls).toBe(0);
});

test('the same content in another run is answered from the first one', async () => {
  const canonicalId = newId('customer');
  await engine.step(await newRun(), vendor.step({ canonicalId }));
  const second = await engine.step(
    await newRun(),
    vendor.step({ canonicalId, node: { id: 'n2', name: 'Other' } }),
  );
  expect(second.origin).toBe('earlier_run');
  expect(vendor.calls).toBe(1);
});

test('an update is made again when another one came since, and only then', async () => {
  let clock = Date.UTC(2026, 0, 5);
  const host = await startEngine({ now: () => new Date(clock++).toISOString() });
  const { run } = await host.engine.oneOff('source', newId('opportunity'), 'Deal');
  const told: string[] = [];
  for (const status of ['finance', 'finance', 'delivery', 'finance', 'finance', 'delivery']) {
    const report = { canonicalId: run.correlationId, wire: { status } };
    const { origin } = await host.engine.step(run.id, vendor.step(report));
    if (origin === 'call') told.push(status);
  }
  expect(told).toEqual(['finance', 'delivery', 'finance', 'delivery']);
  await host.stop();
});

test('other content under the same key updates on an upsert and is refused on a create', async () => {
  const canonicalId = newId('customer');
  await engine.step(await newRun(), vendor.step({ canonicalId }));
  await engine.step(await newRun(), vendor.step({ canonicalId, wire: { name: 'New' } }));
  expect(vendor.calls).toBe(2);

  const create = { canonicalId: newId('project'), updates: false, operation: 'project.create' };
  await engine.step(await newRun(), vendor.step(create));
  await expect(
    engine.step(await newRun(), vendor.step({ ...create, wire: { name: 'New' } })),
  ).rejects.toMatchObject({
    code: 'IDEMPOTENCY_MISMATCH',
  });
  expect(vendor.calls).toBe(3);
});

test('two deals of one customer at the same time create it once', async () => {
  const canonicalId = newId('customer');
  const runs = await Promise.all(Array.from({ length: 8 }, newRun));
  const outcomes = await Promise.all(runs.map((run) => engine.step(run, vendor.step({ canonicalId }))));
  expect(vendor.calls).toBe(1);
  expect(outcomes.filter(({ origin }) => origin === 'earlier_run')).toHaveLength(7);
});

test('a record that belongs to another canonical id is a suspected duplicate', async () => {
  const ref = { system: 'erp', instance: 'main', type: 'customer', id: '4711', role: 'copy' as const };
  const write = async (id: string) => {
    vendor.script = [() => ({ reply: {}, result: { refs: [{ id, entity: 'customer', ref }] } })];
    return engine.step(await newRun(), vendor.step({ canonicalId: id }));
  };
  await write(newId('customer'));
  await expect(write(newId('customer'))).rejects.toMatchObject({ code: 'DUPLICATE_SUSPECTED' });
  expect(await store.db.selectFrom('xref').selectAll().execute()).toHaveLength(1);
});

test('reads are journaled but made anew when a person retries the run', async () => {
  const run = await newRun();
  const read = vendor.step({ readOnly: true, operation: 'deal.read' });
  await engine.step(run, read);
  expect((await engine.step(run, read)).origin).toBe('replayed');
  expect(vendor.calls).toBe(1);
});

test('the audit chain tells of confirmed writes and opened cases, and is intact', async () => {
  const run = await newRun();
  await engine.step(run, vendor.step());
  vendor.script = [
    () => {
      throw fail('rejected', 'TARGET_REJECTED');
    },
  ];
  await expect(engine.step(run, vendor.step())).rejects.toThrow();
  const actions = (await store.db.selectFrom('audit').select('action').orderBy('seq').execute()).map(
    ({ action }) => action,
  );
  expect(actions).toEqual(['step.confirmed', 'case.opened']);
  expect(await verifyAudit(store)).toBeNull();
  await store.write(async (tx) => {
    await tx.updateTable('audit').set({ detail: '{}' }).where('seq', '=', 1).execute();
  });
  expect(await verifyAudit(store)).toBe(1);
});

test('a probe that makes no sense leaves the outcome unknown, and the run tries again by itself', async () => {
  const run = await newRun();
  vendor.script = [
    (write) => {
      write();
      throw fail('unknown');
    },
  ];
  const step = vendor.step({
    probe: async () => {
      throw fail('rejected', 'SCHEMA_CHANGED');
    },
  });
  await expect(engine.step(run, step)).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN' });
  expect(await steps()).toMatchObject([{ state: 'unknown', error_code: 'OUTCOME_UNKNOWN' }]);
  expect(await cases()).toMatchObject([{ code: 'OUTCOME_UNKNOWN', owner_role: 'integration_ops' }]);
  expect(vendor.calls).toBe(1);
});

test('two records under our key are a case for a person, also when the outcome is unknown', async () => {
  vendor.script = [
    () => {
      throw fail('unknown');
    },
  ];
  const step = vendor.step({
    probe: async () => {
      throw fail('unknown', 'DUPLICATE_SUSPECTED');
    },
  });
  await expect(engine.step(await newRun(), step)).rejects.toMatchObject({ code: 'DUPLICATE_SUSPECTED' });
});

test('what an earlier attempt may have written gets its time to become visible before it is looked for', async () => {
  const canonicalId = newId('project');
  const visibleAfterMs = 60;
  vendor.script = [
    (write) => {
      write();
      throw fail('unknown');
    },
  ];
  let probedAt = 0;
  const noSense = async () => {
    throw fail('rejected', 'SCHEMA_CHANGED');
  };
  const run = await newRun();
  const first = vendor.step({ canonicalId, visibleAfterMs, probe: noSense });
  await expect(engine.step(run, first)).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN' });
  const again = Date.now();
  await engine.step(run, {
    ...first,
    probe: async () => {
      probedAt = Date.now();
      return vendor.reply('v1');
    },
  });
  expect(probedAt - again).toBeGreaterThanOrEqual(visibleAfterMs - 1);
  expect(vendor.calls).toBe(1);
});

test('a record that gives up its natural key frees it for the one it belongs to', async () => {
  const [first, second] = [newId('customer'), newId('customer')];
  const claim = (id: string, key: string, name: string) =>
    engine.claimNaturalKeys([{ entity: 'customer', key, id, name }]);
  expect(await claim(first, 'customer|DE1', 'ACME')).toEqual([{ id: first, name: 'ACME' }]);
  expect(await claim(second, 'customer|DE1', 'Bolt')).toEqual([{ id: first, name: 'ACME' }]);
  await claim(first, 'customer|DE2', 'ACME');
  expect(await claim(second, 'customer|DE1', 'Bolt')).toEqual([{ id: second, name: 'Bolt' }]);
});

describe('a step of another run under the same key has no outcome yet', () => {
  const lost = (processed: boolean) => (write: () => string) => {
    if (processed) write();
    throw fail('unknown');
  };
  /** Leaves a step of content A unknown: its reply was lost, and the probe makes no sense. */
  async function leaveUnknown(updates: boolean, processed: boolean) {
    const common = {
      canonicalId: newId('project'),
      operation: updates ? 'project.upsert' : 'project.create',
      updates,
    };
    vendor.script = [lost(processed)];
    const noSense = async () => {
      throw fail('rejected', 'SCHEMA_CHANGED');
    };
    const unknown = vendor.step({ ...common, wire: { name: 'A' }, probe: noSense });
    await expect(engine.step(await newRun(), unknown)).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN' });
    return (name: string) => vendor.step({ ...common, wire: { name } });
  }
  const outcomes = async () => (await steps()).map(({ state }) => state);

  test('the same content is adopted, and both have it', async () => {
    const step = await leaveUnknown(false, true);
    expect((await engine.step(await newRun(), step('A'))).origin).toBe('probe');
    expect([vendor.calls, await outcomes()]).toEqual([1, ['confirmed', 'confirmed']]);
  });

  test('a create of other content is not taken for the record that is there', async () => {
    const step = await leaveUnknown(false, true);
    await expect(engine.step(await newRun(), step('B'))).rejects.toMatchObject({
      code: 'IDEMPOTENCY_MISMATCH',
    });
    expect([vendor.calls, await outcomes()]).toEqual([1, ['confirmed', 'rejected']]);
  });

  test('a create of other content goes ahead when nothing is there', async () => {
    const step = await leaveUnknown(false, false);
    expect((await engine.step(await newRun(), step('B'))).origin).toBe('call');
    expect([vendor.calls, await outcomes()]).toEqual([2, ['failed', 'confirmed']]);
  });

  test('an upsert of other content is sent: the record that is there holds the former one', async () => {
    const step = await leaveUnknown(true, true);
    expect((await engine.step(await newRun(), step('B'))).origin).toBe('call');
    expect([vendor.calls, await outcomes()]).toEqual([2, ['confirmed', 'confirmed']]);
  });
});
