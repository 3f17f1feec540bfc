import { observability } from '../../../lib/observe';
import type { Store } from '../../../lib/store';
import { FakeVendor, fail, startEngine, type TestEngine, until } from '../../support/engine';
import { openTestStore } from '../../support/stores';
import { flowOf, won } from './support';

let tested: TestEngine;
/** The store that is observed. */
let store: Store;
afterEach(() => tested?.stop());

/** Values by name and labels, as a scraper reads them. */
async function scrape(connections: Parameters<typeof observability.metrics>[1] = []) {
  const { text, contentType } = await observability.metrics(store, connections);
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  const values = new Map(
    lines.map((line) => {
      const at = line.lastIndexOf(' ');
      return [line.slice(0, at), Number(line.slice(at + 1))];
    }),
  );
  return { text, contentType, values };
}

async function observedEngine(): Promise<TestEngine> {
  store = await openTestStore();
  const observer = await observability.observe(store, 'test', {}, () => undefined);
  return startEngine({ store, observer });
}

test('a lost reply, its probe, a refusal and a duplicate are told by system and operation', async () => {
  tested = await observedEngine();
  const { engine } = tested;
  const vendor = new FakeVendor();
  vendor.script = [
    (write) => {
      write();
      throw fail('unknown', 'OUTCOME_UNKNOWN');
    },
  ];
  flowOf(engine, async (run) => {
    if (run.event.id === 'lost') return engine.step(run.id, vendor.step());
    vendor.script = [
      () => {
        throw fail('rejected', 'TARGET_REJECTED');
      },
    ];
    return engine.step(run.id, vendor.step());
  });
  const ended = async () =>
    (await store.db.selectFrom('run').select('state').execute()).map(({ state }) => state);
  await engine.accept(won('lost', 'A'));
  await until('the first run', async () => (await ended()).join() === 'completed');
  await engine.accept(won('lost', 'A'));
  await engine.accept(won('refused', 'B'));
  await until('the second run', async () => (await ended()).join() === 'completed,failed');

  const { values, contentType, text } = await scrape();
  expect(contentType).toMatch(/^text\/plain/);
  const at = 'system="erp",operation="customer.upsert"';
  expect(Object.fromEntries(values)).toMatchObject({
    'q2c_events_total{system="crm",result="accepted"}': 2,
    'q2c_events_total{system="crm",result="duplicate"}': 1,
    'q2c_event_accept_lag_seconds_count{system="crm"}': 2,
    'q2c_event_accept_lag_seconds_bucket{le="1",system="crm"}': 0,
    'q2c_event_accept_lag_seconds_bucket{le="60",system="crm"}': 2,
    q2c_run_dispatch_lag_seconds_count: 2,
    'q2c_runs_started_total{passage="first"}': 2,
    'q2c_runs_ended_total{state="completed"}': 1,
    'q2c_runs_ended_total{state="failed"}': 1,
    [`q2c_steps_total{${at},outcome="probe"}`]: 1,
    [`q2c_steps_total{${at},outcome="TARGET_REJECTED"}`]: 1,
    [`q2c_step_duration_seconds_count{${at}}`]: 2,
    [`q2c_step_calls_total{${at},result="unknown"}`]: 1,
    [`q2c_step_calls_total{${at},result="rejected"}`]: 1,
    [`q2c_step_probes_total{${at},result="found"}`]: 1,
    'q2c_runs{state="failed"}': 1,
    'q2c_runs{state="queued"}': 0,
    'q2c_cases_open{code="TARGET_REJECTED",role="finance_ops",severity="error"}': 1,
    q2c_outbox_waiting: 0,
  });
  expect(text).not.toContain('Secret');
});

test('a run that is retried counts as another passage, and a queue shows its depth and age', async () => {
  tested = await observedEngine();
  const { engine } = tested;
  await engine.accept(won('e1', 'A'));
  const queued = (await scrape()).values;
  expect(queued.get('q2c_queue_depth{source="source"}')).toBe(1);
  expect(queued.get('q2c_queue_oldest_seconds{source="source"}')).toBeGreaterThanOrEqual(0);

  const vendor = new FakeVendor();
  vendor.script = Array.from({ length: 4 }, () => () => {
    throw fail('transient');
  });
  flowOf(engine, (run) => engine.step(run.id, vendor.step({ canonicalId: run.orderingKey })));
  await until('it to come through', async () => {
    const { values } = await scrape();
    return values.get('q2c_runs_ended_total{state="completed"}') === 1;
  });
  const { values } = await scrape();
  expect(values.get('q2c_runs_started_total{passage="again"}')).toBe(1);
  expect(values.get('q2c_step_retries_total{system="erp",operation="customer.upsert"}')).toBe(4);
  expect(values.get('q2c_run_dispatch_lag_seconds_count')).toBe(1);
  expect(values.has('q2c_queue_depth{source="source"}')).toBe(false);
});

test('calls of vendors and the state of connections are told', async () => {
  tested = await observedEngine();
  const { traceparent, report } = observability.callsOf('erp');
  expect(traceparent).toBeNull();
  const call = { method: 'POST', path: '/customers', startedAt: 0, spanId: null };
  report([
    { ...call, status: 503, ms: 40 },
    { ...call, status: null, ms: 1000 },
  ]);
  const { values, text } = await scrape([
    { id: 'c1', system: 'erp', health: { breaker: 'open', inFlight: 2, waiting: 3 } },
    { id: 'c2', system: 'erp', health: { breaker: 'closed', inFlight: 0, waiting: 0 } },
  ]);
  expect(Object.fromEntries(values)).toMatchObject({
    'q2c_http_requests_total{system="erp",method="POST",status="503"}': 1,
    'q2c_http_requests_total{system="erp",method="POST",status="none"}': 1,
    'q2c_http_request_duration_seconds_sum{system="erp",method="POST"}': 1.04,
    'q2c_breaker_state{system="erp",connection="c1"}': 2,
    'q2c_breaker_state{system="erp",connection="c2"}': 0,
    'q2c_budget_in_flight{system="erp",connection="c1"}': 2,
    'q2c_budget_waiting{system="erp",connection="c1"}': 3,
  });
  expect(text).not.toContain('cus_');
});
