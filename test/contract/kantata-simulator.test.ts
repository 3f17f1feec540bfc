import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { collections } from '../../simulator/kantata/collections';
import { startAccount, type TestAccount } from '../simulator/kantata/support';

/**
 * The simulated account against the vendor's model description (attributes and associations of every collection) and
 * the facts read from its contract (endpoints, required attributes, limits). The specs are not part of the repository.
 */

const SPECS = process.env.Q2C_SPECS ?? join(__dirname, '../../../shared/specs');
const MODELS = join(SPECS, 'kantata/mavenlink-models.specification.json');
const ENDPOINTS = join(SPECS, 'kantata/endpoints.json');

interface Model {
  attributes: string[];
  create_attributes?: string[];
  update_attributes?: string[];
  create_or_update_attributes?: string[];
  associations?: Record<string, { foreign_key: string; collection: string }>;
}
interface Endpoint {
  path: string;
  methods: string[];
  root?: string;
  required?: string[];
  bulk_max?: number;
  order?: string[];
  order_default?: string;
  required_query?: string[];
}

/** Attributes that the published contract has and the vendor's older model description does not. */
const SHOWN_BEYOND: Record<string, string[]> = {
  participations: ['created_at', 'updated_at'],
  rate_cards: ['created_at', 'updated_at'],
  resource_requests: ['updated_at'],
  roles: ['created_at', 'updated_at', 'deleted_at'],
  stories: ['can_edit', 'read_only', 'status'],
  story_dependencies: ['created_at', 'updated_at'],
  subscribed_events: ['context_workspace_id'],
  workspace_groups: ['created_at', 'updated_at'],
};
const ACCEPTED_BEYOND: Record<string, string[]> = {
  billing_milestones: ['billing_type', 'story_id'],
  rate_cards: ['external_reference'],
  stories: ['custom_fields'],
  workspaces: ['custom_fields', 'invoice_preference'],
};
/** Attributes of objects that the simulated account does not have; they are ignored. */
const NOT_SIMULATED: Record<string, string[]> = { invoices: ['time_adjustment_ids'] };
const ASSOCIATED_BEYOND: Record<string, string[]> = {
  assignments: ['resource'],
  billing_milestones: ['story'],
  project_template_assignments: ['role'],
  workspaces: ['billing_milestones'],
};
/** Known kinds of objects that the model description lists without associations. */
const WITHOUT_ASSOCIATIONS = ['subscribed_events', 'fixed_fee_items', 'additional_items'];

if (!existsSync(MODELS)) {
  test.skip(`Kantata specs are not at ${SPECS}; set Q2C_SPECS to the folder that holds them`, () => {});
} else {
  const models: Record<string, Model> = JSON.parse(readFileSync(MODELS, 'utf8'));
  const { endpoints, external_reference, paging } = JSON.parse(readFileSync(ENDPOINTS, 'utf8')) as {
    endpoints: Endpoint[];
    external_reference: { required: string[]; subject_types: string[] };
    paging: { per_page: { default: number; max: number } };
  };
  const all = Object.values(collections);
  const known = (key: string): Model => {
    const model = models[key];
    if (!model) throw new Error(`The vendor has no ${key}`);
    return model;
  };

  describe.each(all.map((collection) => [collection.key, collection] as const))('%s', (key, collection) => {
    const beyond = (values: string[], allowed: string[]): string[] =>
      values.filter((value) => !allowed.includes(value));

    it('shows attributes of the vendor', () => {
      const shown = [...collection.visible, ...(collection.optional ?? [])];
      expect(beyond(shown, [...known(key).attributes, ...(SHOWN_BEYOND[key] ?? [])])).toEqual([]);
    });

    it('has associations of the vendor', () => {
      const associations = known(key).associations ?? {};
      for (const [name, { collection: target, key: foreignKey }] of Object.entries(collection.associations)) {
        if (ASSOCIATED_BEYOND[key]?.includes(name) || WITHOUT_ASSOCIATIONS.includes(key)) continue;
        expect([name, associations[name]?.foreign_key]).toEqual([name, foreignKey]);
        // The model description calls dependencies by the name of the association.
        if (!name.endsWith('_dependencies')) expect(associations[name]?.collection).toBe(target);
      }
    });

    it.each(['create', 'update'] as const)('accepts on %s what the vendor accepts', (method) => {
      const model = known(key);
      const shared = model.create_or_update_attributes ?? [];
      const allowed = (method === 'create' ? model.create_attributes : model.update_attributes) ?? shared;
      const accepted = Object.keys(collection.inputs).filter((name) => collection.inputs[name]?.[method]);
      const extras = ACCEPTED_BEYOND[key] ?? [];
      expect(beyond(accepted, [...allowed, ...extras])).toEqual([]);
      const missing = beyond([...new Set(allowed)], [...accepted, ...(NOT_SIMULATED[key] ?? [])]);
      if (collection.methods.includes(method)) expect(missing).toEqual([]);
    });
  });

  describe('endpoints', () => {
    let account: TestAccount;
    beforeAll(async () => {
      account = await startAccount();
    });
    afterAll(() => account.close());

    const simulated = endpoints.filter(({ path }) => !path.includes('{id}'));

    it.each(simulated.map((endpoint) => [endpoint.path, endpoint] as const))(
      '%s exists with its methods',
      async (path, endpoint) => {
        for (const method of endpoint.methods) {
          const body = method === 'POST' && endpoint.root ? { [endpoint.root]: {} } : undefined;
          const query = (endpoint.required_query ?? []).map((name) => `${name}=Workspace`).join('&');
          const reply = await account.call(method, `${path.slice(1)}?${query}`, body);
          expect([method, reply.status]).not.toEqual([method, 404]);
          if (method === 'GET') expect(reply.status).toBe(200);
        }
      },
    );

    it.each(
      simulated
        .filter(({ required, methods }) => required && methods.includes('POST'))
        .map((e) => [e.path, e] as const),
    )('%s refuses to create without the required attributes', async (path, { root = '', required = [] }) => {
      const reply = await account.call('POST', path.slice(1), { [root]: {} });
      expect(reply.status).toBe(422);
      const named = reply.body.errors.map(({ field }) => field);
      // The integration user's own line needs a participant; only then the vendor's list is complete.
      for (const field of required) expect(named).toContain(field);
    });

    it.each(simulated.filter(({ order }) => order).map((e) => [e.path, e] as const))(
      '%s has the vendor’s orders',
      (path, endpoint) => {
        const collection = collections[path.slice(1)];
        expect(Object.keys(collection?.orders ?? {})).toEqual(expect.arrayContaining(endpoint.order ?? []));
        if (endpoint.order_default) expect(collection?.order).toBe(endpoint.order_default);
      },
    );

    it('has the vendor’s limits', async () => {
      for (const { path, bulk_max } of endpoints)
        if (bulk_max) expect(collections[path.slice(1)]?.bulk).toBe(bulk_max);
      const size = async (query: string) => (await account.call('GET', `users?${query}`)).body.meta.page_size;
      expect(await size('')).toBe(paging.per_page.default);
      expect(await size('per_page=9999')).toBe(paging.per_page.max);
    });

    it('has external references of the vendor’s kinds only', () => {
      const subjects = all
        .filter(({ associations }) => associations.external_references)
        .map(({ subject }) => subject);
      expect(
        subjects.filter((subject) => !external_reference.subject_types.includes(String(subject))),
      ).toEqual([]);
    });
  });
}
