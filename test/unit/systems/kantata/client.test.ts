import { stories, workspaces } from '../../../../lib/systems/kantata/collections';
import { manifest } from '../../../../lib/systems/kantata/manifest';
import { createMissing, findAll, findOwned } from '../../../../lib/systems/kantata/references';
import { sendJson, startTestServer, type TestServer } from '../kit/test-server';
import { clientOf } from './support';

const signal = new AbortController().signal;

let server: TestServer;
let client: ReturnType<typeof clientOf>;

beforeEach(async () => {
  server = await startTestServer((_request, response) => sendJson(response, 200, envelope([])));
  client = clientOf({ accessToken: 'token-1', baseUrl: `${server.url}/api/v1` });
});

afterEach(async () => {
  await client.close();
  await server.close();
});

interface Object {
  id: string;
  canonicalId?: string;
  service?: string;
}

function envelope(objects: Object[], { name = 'stories', count = objects.length, pages = 1 } = {}) {
  const owned = objects.filter(({ canonicalId }) => canonicalId !== undefined);
  return {
    count,
    meta: { count, page_count: pages, page_number: 1, page_size: 200 },
    results: objects.map(({ id }) => ({ key: name, id })),
    [name]: Object.fromEntries(
      objects.map(({ id, canonicalId }) => [
        id,
        { id, external_reference_ids: canonicalId ? [`r${id}`] : [] },
      ]),
    ),
    external_references: Object.fromEntries(
      owned.map(({ id, canonicalId, service = 'q2c' }) => [
        `r${id}`,
        { id: `r${id}`, service_name: service, service_model: 'Task', service_model_ref: canonicalId },
      ]),
    ),
  };
}

const answer = (body: unknown, status = 200) => {
  server.reply = (_request, response) => sendJson(response, status, body);
};

const queryOf = (index: number) => new URL(server.requests[index]?.url ?? '', server.url).searchParams;

describe('reading lists', () => {
  it('reads all pages with the largest page size', async () => {
    server.reply = (request, response) => {
      const page = Number(new URL(request.url, server.url).searchParams.get('page'));
      sendJson(response, 200, envelope([{ id: String(page) }], { count: 3, pages: 3 }));
    };
    const rows = await client.list(stories, { workspace_id: 5 }, signal);
    expect(rows.map(({ id }) => id)).toEqual(['1', '2', '3']);
    expect(server.requests.map((_, index) => queryOf(index).toString())).toEqual(
      [1, 2, 3].map((page) => `workspace_id=5&page=${page}&per_page=200`),
    );
    expect(server.requests[0]?.headers.authorization).toBe('Bearer token-1');
  });

  it('refuses a list that comes short', async () => {
    answer(envelope([{ id: '1' }], { count: 2 }));
    await expect(client.list(stories, {}, signal)).rejects.toMatchObject({ kind: 'transient' });
  });

  it('refuses a list in which a row moved between the pages', async () => {
    answer(envelope([{ id: '1' }], { count: 2, pages: 2 }));
    await expect(client.list(stories, {}, signal)).rejects.toMatchObject({ kind: 'transient' });
  });

  it('reports an answer of another shape as a changed interface', async () => {
    answer({ data: [] });
    await expect(client.list(stories, {}, signal)).rejects.toMatchObject({
      kind: 'rejected',
      code: 'SCHEMA_CHANGED',
    });
  });
});

describe('creating', () => {
  const bodies = (count: number) => Array.from({ length: count }, (_, index) => ({ title: `t${index}` }));

  it('sends one object under the singular, many under the plural root', async () => {
    answer(envelope([{ id: '1' }]));
    await client.create(stories, bodies(1), signal);
    answer(envelope([{ id: '1' }, { id: '2' }]));
    await client.create(stories, bodies(2), signal);
    expect(server.requests.map(({ body }) => JSON.parse(body))).toEqual([
      { story: { title: 't0' } },
      { stories: [{ title: 't0' }, { title: 't1' }] },
    ]);
    expect(queryOf(0).get('include')).toBe('external_references');
  });

  it('sends what exceeds the bulk limit in several calls, the last part first, and keeps the order', async () => {
    server.reply = (request, response) => {
      const { workspaces: sent } = JSON.parse(request.body) as { workspaces: { title: string }[] };
      sendJson(
        response,
        200,
        envelope(
          sent.map(({ title }) => ({ id: title })),
          { name: 'workspaces' },
        ),
      );
    };
    const rows = await client.create(workspaces, bodies(150), signal);
    expect(rows.map(({ id }) => id)).toEqual(bodies(150).map(({ title }) => title));
    expect(server.requests.map(({ body }) => JSON.parse(body).workspaces.length)).toEqual([50, 100]);
  });

  it.each([
    ['is empty', undefined],
    ['has no results', { count: 1, stories: {} }],
    ['names nothing', { count: 0, results: [] }],
    ['lacks the object', { count: 1, results: [{ key: 'stories', id: '1' }], stories: {} }],
    ['is a list', []],
  ])('does not know what happened when the answer %s', async (_name, body) => {
    answer(body);
    await expect(client.create(stories, bodies(1), signal)).rejects.toMatchObject({
      kind: 'unknown',
      code: 'OUTCOME_UNKNOWN',
    });
  });

  it('does not know what happened when the answer is not JSON', async () => {
    server.reply = (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/html' });
      response.end('<html>Maintenance</html>');
    };
    await expect(client.create(stories, bodies(1), signal)).rejects.toMatchObject({ kind: 'unknown' });
  });

  it('gives the plain reason of a refusal', async () => {
    answer({ errors: [{ type: 'validation', field: 'title', message: 'Title is too long' }] }, 422);
    await expect(client.create(stories, bodies(1), signal)).rejects.toMatchObject({
      kind: 'rejected',
      code: 'TARGET_REJECTED',
      reason: 'Title is too long',
    });
  });

  it('creates nothing when nothing is missing', async () => {
    const known = new Map([['tsk_1', { canonicalId: 'tsk_1', id: '1', updatedAt: null, referenceId: 'r1' }]]);
    expect(
      await createMissing(client, stories, [{ canonicalId: 'tsk_1', body: {} }], known, signal),
    ).toHaveLength(1);
    expect(server.requests).toEqual([]);
  });

  it('does not know what happened when the answer does not show our id', async () => {
    answer(envelope([{ id: '1', canonicalId: 'tsk_other' }]));
    await expect(
      createMissing(client, stories, [{ canonicalId: 'tsk_1', body: {} }], new Map(), signal),
    ).rejects.toMatchObject({ kind: 'unknown' });
  });
});

describe('finding by our ids', () => {
  it('asks for the ids in portions, and for archived projects too', async () => {
    const ids = Array.from({ length: 101 }, (_, index) => `prj_${index}`);
    answer(envelope([], { name: 'workspaces' }));
    expect(await findOwned(client, workspaces, ids, signal)).toEqual(new Map());
    expect(server.requests).toHaveLength(2);
    expect(Object.fromEntries(queryOf(1))).toEqual({
      external_reference_service_name: 'q2c',
      external_reference_service_model_refs: 'prj_100',
      include: 'external_references',
      include_archived: 'true',
      page: '1',
      per_page: '200',
    });
  });

  it('goes by the reference, not by the answer alone', async () => {
    answer(
      envelope([
        { id: '1', canonicalId: 'tsk_1' },
        { id: '2', canonicalId: 'tsk_2', service: 'another-integration' },
        { id: '3' },
      ]),
    );
    const found = await findOwned(client, stories, ['tsk_1', 'tsk_2'], signal);
    expect([...found]).toEqual([
      ['tsk_1', { canonicalId: 'tsk_1', id: '1', updatedAt: null, referenceId: 'r1' }],
    ]);
  });

  it('cannot decide between two records with the same id', async () => {
    answer(
      envelope([
        { id: '1', canonicalId: 'tsk_1' },
        { id: '2', canonicalId: 'tsk_1' },
      ]),
    );
    await expect(findOwned(client, stories, ['tsk_1'], signal)).rejects.toMatchObject({
      kind: 'unknown',
      reason: expect.stringContaining('stories 1 and 2 both carry our id tsk_1'),
    });
  });

  it('finds a plan only when all of it is there', async () => {
    answer(
      envelope([
        { id: '2', canonicalId: 'tsk_2' },
        { id: '1', canonicalId: 'tsk_1' },
      ]),
    );
    const plan = (...canonicalIds: string[]) =>
      canonicalIds.map((canonicalId) => ({ canonicalId, body: {} }));
    const records = await findAll(client, stories, plan('tsk_1', 'tsk_2'), signal);
    expect(records?.map(({ id }) => id)).toEqual(['1', '2']);
    expect(await findAll(client, stories, plan('tsk_1', 'tsk_2', 'tsk_3'), signal)).toBeNull();
  });
});

describe('the connection test', () => {
  const replyByPath = (statuses: Record<string, number>) => {
    server.reply = (request, response) => {
      const { pathname } = new URL(request.url, server.url);
      const name = pathname.replace('/api/v1/', '');
      const status = statuses[name] ?? 200;
      const failure = { errors: [{ type: status === 401 ? 'oauth' : 'system', message: `no ${name}` }] };
      sendJson(
        response,
        status,
        status === 200 ? envelope([], { name: name === 'users/me' ? 'users' : name }) : failure,
      );
    };
  };

  const found = async () =>
    (await client.test())
      .filter(({ state }) => state === 'failed')
      .map(({ id, findings }) => [id, ...findings.map(({ key }) => key)]);

  it('passes', async () => {
    replyByPath({});
    const checks = await client.test();
    expect(checks.map(({ id, state }) => [id, state])).toEqual([
      ...['host', 'clock', 'login', ...manifest.access.map(({ object }) => `object:${object}`)].map((id) => [
        id,
        'ok',
      ]),
      ['write', 'unchecked'],
      ['limits', 'unchecked'],
    ]);
    expect(checks.find(({ id }) => id === 'write')?.advice).toContain('Create and manage projects');
  });

  it('stops at a refused token', async () => {
    replyByPath({ 'users/me': 401 });
    expect(await found()).toEqual([['login', 'TOKEN_REFUSED']]);
  });

  it('names a missing permission', async () => {
    replyByPath({ project_templates: 403, time_entries: 403 });
    expect(await found()).toEqual([
      ['object:project_templates', 'RIGHT_READ'],
      ['object:time_entries', 'RIGHT_READ'],
    ]);
  });

  it('tells a wrong address from a wrong token', async () => {
    replyByPath({ 'users/me': 404 });
    expect(await found()).toEqual([['login', 'NOT_THE_API']]);
  });

  it('never throws when nothing answers', async () => {
    await server.close();
    expect(await found()).toEqual([['host', 'HOST_REFUSED']]);
  });
});

describe('what may be gone', () => {
  const works = {
    show: () => client.show(workspaces, '1', signal),
    remove: () => client.remove(workspaces, '1', signal),
    update: () => client.updateIfPresent(workspaces, '1', { archived: true }, signal),
  };

  it.each(Object.entries(works))(
    'is gone when Kantata says so, and not by the page of a proxy: %s',
    async (_name, work) => {
      answer({ errors: [{ message: 'The requested resource could not be found' }] }, 404);
      expect((await work()) ?? null).toBeNull();
      server.reply = (_request, response) => {
        response.writeHead(404).end('<html>Not found</html>');
      };
      await expect(work()).rejects.toMatchObject({ kind: 'not_found' });
    },
  );

  it('is changed when the answer names it', async () => {
    answer(envelope([{ id: '1' }], { name: 'workspaces' }));
    await works.update();
    answer(envelope([], { name: 'workspaces' }));
    await expect(works.update()).rejects.toMatchObject({ kind: 'unknown' });
  });
});

describe('the configuration', () => {
  it('needs a token', () => {
    expect(() => clientOf({})).toThrow(/Access token is empty/);
  });

  it('names the account in cross-references', () => {
    expect(client.instance).toBe('meridian');
    expect(client.settings).toMatchObject({ serviceName: 'q2c' });
    expect(JSON.stringify(client.settings)).not.toContain('token-1');
  });
});
