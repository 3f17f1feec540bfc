import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { system } from '../../lib/systems/kantata';
import type { KantataClient } from '../../lib/systems/kantata/client';
import * as collections from '../../lib/systems/kantata/collections';
import {
  callContext,
  clientOf,
  contextOf,
  firmTables,
  sampleDeal,
  withProject,
} from '../unit/systems/kantata/support';
import { sendJson, startTestServer, type TestServer } from '../unit/systems/kit/test-server';

/**
 * Every call of the connector against what is known of the vendor's interface: the attribute lists of the vendor's
 * own client library, and the endpoints read from its published contract.
 */
const folder = join(process.cwd(), '..', 'shared', 'specs', 'kantata');
const present = existsSync(join(folder, 'endpoints.json'));
if (!present) console.warn(`Kantata contract tests are skipped: there is no ${folder}`);

const model = z.object({
  attributes: z.array(z.string()),
  create_attributes: z.array(z.string()).default([]),
  update_attributes: z.array(z.string()).default([]),
  associations: z.record(z.string(), z.looseObject({ foreign_key: z.string().optional() })).default({}),
});
const endpoint = z.object({
  path: z.string(),
  methods: z.array(z.string()),
  root: z.string().optional(),
  required: z.array(z.string()).default([]),
  bulk_max: z.number().optional(),
  order: z.array(z.string()).default([]),
});
const endpointsFile = z.object({
  endpoints: z.array(endpoint),
  external_reference: z.object({
    required: z.array(z.string()),
    optional: z.array(z.string()),
    status: z.array(z.string()),
    subject_types: z.array(z.string()),
  }),
});

const read = (name: string): unknown => (present ? JSON.parse(readFileSync(join(folder, name), 'utf8')) : {});
const models = z.record(z.string(), z.unknown()).parse(read('mavenlink-models.specification.json'));
const modelOf = (collection: string) => model.parse(models[collection]);
const { endpoints, external_reference: referenceRules } = present
  ? endpointsFile.parse(read('endpoints.json'))
  : { endpoints: [], external_reference: { required: [], optional: [], status: [], subject_types: [] } };

interface Recorded {
  method: string;
  path: string;
  query: Record<string, string>;
  body: unknown;
}

const objectSchema = z.record(z.string(), z.unknown());

const timesheet = { updated_at: '2026-01-02T10:00:00-08:00', time_entry_ids: ['7'] };
const timeEntry = {
  user_id: '5',
  workspace_id: '10',
  date_performed: '2026-01-07',
  time_in_minutes: 90,
  billable: true,
  approved: true,
  is_invoiced: false,
  currency: 'EUR',
  created_at: '2026-01-02T10:00:00-08:00',
  updated_at: '2026-01-02T10:00:00-08:00',
};
/** What lists hold, by collection; the others are empty. */
const LISTS: Record<string, object> = {
  timesheet_submissions: timesheet,
  time_entries: timeEntry,
  workspaces: {},
};

/** Answers everything: creates get ids and keep their references. */
async function startRecorder(): Promise<TestServer> {
  let next = 1;
  return startTestServer((request, response) => {
    const name = new URL(request.url, 'http://x').pathname.split('/')[3] ?? '';
    if (request.method === 'DELETE') return sendJson(response, 204);
    if (request.method !== 'POST') return sendJson(response, 200, listOf(name));
    const [sent] = Object.values(objectSchema.parse(JSON.parse(request.body)));
    const objects = z.array(objectSchema).parse([sent].flat());
    const rows = objects.map((body) => ({ id: String(next++), reference: body.external_reference ?? body }));
    sendJson(response, 200, {
      count: rows.length,
      results: rows.map(({ id }) => ({ key: name, id })),
      [name]: Object.fromEntries(rows.map(({ id }) => [id, { id, external_reference_ids: [id] }])),
      external_references: Object.fromEntries(
        rows.map(({ id, reference }) => [id, { id, ...objectSchema.parse(reference) }]),
      ),
    });
  });
}

function listOf(name: string) {
  const row = LISTS[name];
  if (row === undefined) return { count: 0, results: [], meta: { page_count: 1 } };
  const results = [{ key: name, id: '7' }];
  return { count: 1, results, meta: { page_count: 1 }, [name]: { 7: { id: '7', ...row } } };
}

/** Every operation as the engine runs it: probe, call, compensate, adopt, with and without template; and every event. */
async function runAll(client: KantataClient): Promise<void> {
  const deal = withProject(sampleDeal(), '4511');
  deal.milestones = deal.milestones?.map((milestone, index) => ({
    ...milestone,
    acceptanceCriteria: 'Signed by the client',
    externalRefs: [
      { system: 'kantata', instance: 'meridian', type: 'Story', id: `70${index}`, role: 'master' as const },
    ],
  }));
  const parameters = { roles: 'project_manager, consultant' };
  for (const tables of [firmTables, { ...firmTables, projectTemplate: {} }]) {
    for (const operation of system.operations) {
      for (const item of operation.select(deal, parameters)) {
        const wire = operation.toSystem(item, contextOf(deal, { tables, parameters }));
        await operation.probe?.(client, wire, callContext());
        const reply = await operation.call(client, wire, callContext());
        await operation.compensate?.(client, wire, reply, callContext());
        await operation.adopt?.(client, '7', wire, callContext());
      }
    }
  }
  for (const source of system.events) {
    await source.poll(client, null, {
      settings: client.settings,
      pageSize: 200,
      startAt: '2026-01-01T00:00:00.000Z',
      signal: new AbortController().signal,
    });
  }
  await client.test();
}

(present ? describe : describe.skip)('requests of the Kantata connector', () => {
  let server: TestServer;
  let requests: Recorded[];

  beforeAll(async () => {
    server = await startRecorder();
    const client = clientOf({ accessToken: 'token', baseUrl: `${server.url}/api/v1` });
    await runAll(client);
    await client.close();
    requests = server.requests.map(({ method, url, body }) => {
      const { pathname, searchParams } = new URL(url, server.url);
      return {
        method,
        path: pathname.replace('/api/v1', ''),
        query: Object.fromEntries(searchParams),
        body: body === '' ? null : JSON.parse(body),
      };
    });
  });

  afterAll(() => server.close());

  /** The only POST that creates or changes; it has rules of its own. */
  const PUT_REFERENCE = '/external_references/create_or_update';
  const collectionOf = ({ path }: Recorded) => path.split('/')[1] ?? '';
  const bodiesOf = (method: string) =>
    requests
      .filter((request) => request.method === method && request.path !== PUT_REFERENCE)
      .map((request) => {
        const [[root = '', sent] = []] = Object.entries(objectSchema.parse(request.body));
        return {
          collection: collectionOf(request),
          root,
          objects: z.array(objectSchema).parse([sent].flat()),
        };
      });

  it('cover every operation and event', () => {
    const written = new Set(requests.filter(({ method }) => method === 'POST').map(collectionOf));
    expect([...written].sort()).toEqual([
      'billing_milestones',
      'external_references',
      'stories',
      'workspace_resources',
      'workspaces',
    ]);
    const read = requests.filter(({ method }) => method === 'GET').map(collectionOf);
    expect(read).toEqual(expect.arrayContaining(['time_entries', 'timesheet_submissions']));
  });

  it('go to collections that exist, with methods they have', () => {
    for (const request of requests) {
      const pattern = request.path.replace(/\/\d+$/, '/{id}');
      const known = endpoints.find(({ path }) => path === pattern);
      if (known)
        expect([pattern, known.methods]).toEqual([pattern, expect.arrayContaining([request.method])]);
      else expect(Object.keys(models)).toContain(collectionOf(request));
    }
  });

  it('create with attributes that can be set on creation, and with all that are required', () => {
    for (const { collection, objects } of bodiesOf('POST')) {
      const { create_attributes } = modelOf(collection);
      const required = endpoints.find(({ path }) => path === `/${collection}`)?.required ?? [];
      for (const object of objects) {
        expect(create_attributes).toEqual(expect.arrayContaining(Object.keys(object)));
        expect(Object.keys(object)).toEqual(expect.arrayContaining(required));
      }
    }
  });

  it('update with attributes that can be changed', () => {
    const updates = bodiesOf('PUT');
    expect(updates.length).toBeGreaterThan(0);
    for (const { collection, objects } of updates) {
      expect(modelOf(collection).update_attributes).toEqual(
        expect.arrayContaining(objects.flatMap(Object.keys)),
      );
    }
  });

  it('use the roots of the vendor: singular for one, plural for many', () => {
    for (const { collection, root, objects } of [...bodiesOf('POST'), ...bodiesOf('PUT')]) {
      const { root: singular = collection.slice(0, -1), bulk_max = Infinity } =
        endpoints.find(({ path }) => path === `/${collection}`) ?? {};
      expect(root).toBe(objects.length === 1 ? singular : collection);
      expect(objects.length).toBeLessThanOrEqual(bulk_max);
    }
  });

  it('carry complete external references', () => {
    const allowed = [...referenceRules.required, ...referenceRules.optional];
    for (const object of bodiesOf('POST').flatMap(({ objects }) => objects)) {
      const reference = objectSchema.parse(object.external_reference);
      expect(Object.keys(reference)).toEqual(expect.arrayContaining(referenceRules.required));
      expect(allowed).toEqual(expect.arrayContaining(Object.keys(reference)));
      expect(referenceRules.status).toContain(reference.status);
    }
  });

  it('put references on what exists with all that is required, and with nothing else', () => {
    const sent = requests.filter(({ path }) => path === PUT_REFERENCE).map(({ body }) => body);
    expect(sent.length).toBeGreaterThan(0);
    const required = endpoints.find(({ path }) => path === PUT_REFERENCE)?.required ?? [];
    const allowed = [...required, ...referenceRules.optional];
    expect(required).toContain('subject_id');
    for (const body of sent) {
      const { external_reference } = z.object({ external_reference: objectSchema }).parse(body);
      expect(Object.keys(external_reference)).toEqual(expect.arrayContaining(required));
      expect(allowed).toEqual(expect.arrayContaining(Object.keys(external_reference)));
      expect(referenceRules.subject_types).toContain(external_reference.subject_type);
      expect(external_reference.subject_id).toEqual(expect.any(Number));
    }
  });

  it('send ids and amounts as integers', () => {
    for (const object of bodiesOf('POST').flatMap(({ objects }) => objects)) {
      const numbers = Object.entries(object).filter(([name]) =>
        /_id$|_in_cents$|_in_minutes$|^price$/.test(name),
      );
      for (const [name, value] of numbers)
        expect([name, value === null || Number.isSafeInteger(value)]).toEqual([name, true]);
    }
  });

  it('side-load and order only by what the collection offers', () => {
    for (const request of requests) {
      const { include, order } = request.query;
      const { associations } = modelOf(collectionOf(request));
      if (include) expect(Object.keys(associations)).toEqual(expect.arrayContaining(include.split(',')));
      const orders = endpoints.find(({ path }) => path === request.path)?.order;
      if (order) expect(orders).toContain(order.split(':')[0]);
    }
  });
});

(present ? describe : describe.skip)('rows the Kantata connector reads', () => {
  it.each(Object.values(collections).filter((each) => 'row' in each))(
    '$name have the attributes we rely on',
    ({ name, row }) => {
      const shape = row instanceof z.ZodObject ? Object.keys(row.shape) : [];
      expect(shape).toContain('id');
      // Ids of associations come with `include`.
      const { attributes, associations } = modelOf(name);
      const keys = Object.values(associations).map(({ foreign_key }) => foreign_key);
      expect([...attributes, ...keys]).toEqual(expect.arrayContaining(shape));
    },
  );

  it.each(Object.values(collections).filter((each) => 'bulkMax' in each))(
    '$name are created in bulks the vendor takes',
    ({ name, root, bulkMax }) => {
      const known = endpoints.find(({ path }) => path === `/${name}`);
      expect(bulkMax).toBeLessThanOrEqual(known?.bulk_max ?? bulkMax);
      expect(root).toBe(known?.root ?? root);
    },
  );
});
