import { customerBody, idIn, refusal, TestAccount } from './support';

let account: TestAccount;
beforeEach(async () => {
  account = await TestAccount.start();
  await account.person('PATCH', 'account/1', { asyncDelayMs: 60_000 });
});
afterEach(() => account.close());

const submit = (
  key: string,
  body: unknown = customerBody(),
  path = 'customer',
): ReturnType<TestAccount['record']> =>
  account.record('POST', path, body, { Prefer: 'respond-async', 'X-NetSuite-Idempotency-Key': key });
const job = (id: string, path = ''): ReturnType<TestAccount['call']> =>
  account.call('GET', `/async/v1/job/${id}${path}`);
const customers = async (): Promise<number> =>
  (await account.record('GET', 'customer?limit=1')).body.totalResults;

test('a call is queued, carried out later, and its answer kept', async () => {
  const before = await customers();
  const reply = await submit('key-1');
  expect(reply.status).toBe(202);
  expect(reply.headers.get('preference-applied')).toBe('respond-async');
  expect(reply.headers.get('location')).toBe(`${account.url}/services/rest/async/v1/job/${idIn(reply)}`);
  const id = idIn(reply);

  expect((await job(id)).body).toMatchObject({
    id,
    completed: false,
    progress: 'pending',
    task: { links: [{ rel: 'self' }] },
  });
  expect((await job(id, '/task/1/result')).status).toBe(404);
  expect(await customers()).toBe(before);

  account.clock.offset = 60_001;
  expect((await job(id)).body).toMatchObject({ completed: true, progress: 'succeeded' });
  expect((await job(id, '/task')).body.items).toMatchObject([{ id: '1' }]);
  expect((await job(id, '/task/1')).body).toMatchObject({
    completed: true,
    progress: 'succeeded',
    startTime: expect.any(String),
    links: [{ rel: 'self' }, { rel: 'related', href: expect.stringMatching(/\/task\/1\/result$/) }],
  });
  const result = await job(id, '/task/1/result');
  expect(result.status).toBe(204);
  expect(result.headers.get('location')).toContain('/record/v1/customer/');
  expect(await customers()).toBe(before + 1);
});

test('the same key again leads to the first job', async () => {
  const first = idIn(await submit('key-2'));
  const again = await submit('key-2', customerBody({ companyName: 'Other' }));
  expect(refusal(again)).toMatchObject({ status: 400, code: 'IDEMPOTENCY_ERROR' });
  expect(again.body.title).toBe('Conflict');
  expect(idIn(again)).toBe(first);
  expect(idIn(await submit('key-3'))).not.toBe(first);
});

test('the key means nothing without respond-async', async () => {
  const headers = { 'X-NetSuite-Idempotency-Key': 'key-4' };
  const replies = [
    await account.record('POST', 'customer', customerBody(), headers),
    await account.record('POST', 'customer', customerBody(), headers),
  ];
  expect(replies.map(({ status }) => status)).toEqual([204, 204]);
});

test('a refusal is the result of a failed job', async () => {
  const id = idIn(await submit('key-5', customerBody({ terms: { id: '99' } })));
  account.clock.offset = 60_001;
  expect((await job(id)).body).toMatchObject({ completed: true, progress: 'failed' });
  expect(refusal(await job(id, '/task/1/result'))).toMatchObject({
    status: 400,
    code: 'USER_ERROR',
    path: 'terms',
  });
});

test('unknown jobs and tasks are not found', async () => {
  const id = idIn(await submit('key-6'));
  expect((await job('77')).status).toBe(404);
  expect((await job(id, '/task/2')).status).toBe(404);
});
