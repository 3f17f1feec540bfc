import { API_ROOT, describe as documentOf, routes } from '../../../lib/api';
import { requireToken } from '../../../lib/api/tokens';
import { newId } from '../../../lib/model';
import { jsonOf, routeOf } from '../../support/api';
import { win } from '../engine/repair-support';
import { Site } from './support';

/** Every route gives what it says, and the document says what every route gives. */

describe('the document', () => {
  interface Operation {
    operationId: string;
    parameters: { name: string; in: string }[];
  }
  let document: {
    openapi: string;
    paths: Record<string, Record<string, Operation>>;
    components: { schemas: Record<string, unknown> };
  };
  let operations: ({ path: string; method: string } & Operation)[];

  beforeAll(async () => {
    document = (await documentOf('1.0.0', API_ROOT)) as unknown as typeof document;
    operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ path, method, ...operation })),
    );
  });

  test('has every route once, with its parameters, and all schemas it refers to', () => {
    expect(document.openapi).toBe('3.1.0');
    expect(operations).toHaveLength(routes.length);
    expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(routes.length);
    for (const { path, parameters } of operations) {
      const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      expect(parameters.filter((each) => each.in === 'path').map(({ name }) => name)).toEqual(named);
    }
    const text = JSON.stringify(document);
    for (const [, name] of text.matchAll(/"#\/components\/schemas\/(\w+)"/g)) {
      expect(Object.keys(document.components.schemas)).toContain(name);
    }
    expect(text).not.toContain('$defs');
  });

  test('no route stands in the way of another one', () => {
    for (const route of routes) {
      const path = route.path.replace(/:\w+/g, 'x');
      expect(routeOf(route.method, path).route.id).toBe(route.id);
    }
  });
});

describe('replies', () => {
  let site: Site;
  beforeEach(async () => {
    site = await Site.open();
  });
  afterEach(() => site.close());

  test('of every route that only looks fit their schemas, with something to show', async () => {
    const { runId, stepKey, caseId, correlationId } = await site.stuck();
    const checked = await site.stuckAtCheck();
    await site.api.ask('POST', '/tokens', { body: { name: 'portal', scopes: ['rates'] } });
    const bulk = jsonOf<{ id: string }>(
      await site.api.ask('POST', '/bulk', {
        body: { action: 'retry_runs', filter: { code: 'CREDIT_HOLD' }, reason: 'x' },
      }),
    );
    const ids: Record<string, string> = {
      '/runs/:id': runId,
      '/steps/:key': stepKey,
      '/steps/:key/input': stepKey,
      '/cases/:id': caseId,
      '/cases/:id/correction': checked.caseId,
      '/deals/:id': correlationId,
      '/bulk/:id': bulk.id,
      '/kpis/work-lists/:list': 'awaiting_project',
    };
    const looked: string[] = [];
    for (const { method, path, reply, id } of routes) {
      if (method !== 'get' || reply.kind !== 'json') continue;
      const given = await site.api.ask('GET', path.replace(/:\w+/, encodeURIComponent(ids[path] ?? '?')));
      const body = JSON.parse(JSON.stringify(jsonOf(given)));
      const fits = reply.schema.safeParse(body);
      expect({ id, problem: fits.error?.message }).toEqual({ id, problem: undefined });
      // Nothing is given that the document does not tell of.
      expect({ id, body: fits.data }).toEqual({ id, body });
      looked.push(path);
    }
    expect(looked).toEqual(expect.arrayContaining(Object.keys(ids)));
  });
});

describe('tokens', () => {
  let site: Site;
  beforeEach(async () => {
    site = await Site.open();
  });
  afterEach(() => site.close());

  const make = async (body: object) =>
    jsonOf<{ id: string; secret: string }>(await site.api.ask('POST', '/tokens', { body }));

  test('work for their scopes until they end; the store holds no secret', async () => {
    const { store } = site.api.engine;
    const { secret, id } = await make({ name: 'portal', scopes: ['rates'] });
    expect(await requireToken(store, secret, 'rates')).toMatchObject({ id, name: 'portal' });
    await expect(requireToken(store, secret, 'deal_status')).rejects.toMatchObject({
      code: 'PERMISSION_MISSING',
    });
    const wrong = `${secret.slice(0, -1)}${secret.endsWith('A') ? 'B' : 'A'}`;
    for (const bad of ['', 'x', wrong, secret.toLowerCase()]) {
      await expect(requireToken(store, bad, 'rates')).rejects.toMatchObject({ code: 'LOGIN_REQUIRED' });
    }
    const [row] = await store.db.selectFrom('api_token').selectAll().execute();
    expect(JSON.stringify(row)).not.toContain(secret.slice(-43));
    expect(row?.last_used_at).not.toBeNull();

    const past = await make({ name: 'old', scopes: ['rates'], expiresAt: '2020-01-01T00:00:00.000Z' });
    await expect(requireToken(store, past.secret, 'rates')).rejects.toMatchObject({ code: 'LOGIN_REQUIRED' });
    await site.api.ask('DELETE', `/tokens/${id}`);
    await expect(requireToken(store, secret, 'rates')).rejects.toMatchObject({ code: 'LOGIN_REQUIRED' });
    const actions = [...(await site.audit('token.created')), ...(await site.audit('token.deleted'))];
    expect(actions.map(({ actor }) => actor)).toEqual(['kim', 'kim', 'kim']);
  });
});

test('a deal is found while its first run is still queued, and other deals stay out', async () => {
  const site = await Site.open();
  const runId = await win(site.api.engine.engine, `opp-${newId('opportunity')}`);
  const { title } = await site.api.get<{ title: string }>(`/runs/${runId}`);
  await win(site.api.engine.engine);
  const { items } = await site.api.get<{ items: { title: string }[] }>('/deals', { q: title });
  expect(items.map((deal) => deal.title)).toEqual([title]);
  await site.settled();
  await site.close();
});
