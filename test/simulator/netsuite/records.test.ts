import { customerBody, idIn, projectBody, refusal, TestAccount } from './support';

let account: TestAccount;
beforeAll(async () => {
  account = await TestAccount.start();
});
afterAll(() => account.close());

describe('create and read', () => {
  test('POST answers 204 with the location of the new record', async () => {
    const reply = await account.record('POST', 'customer', customerBody());
    expect(reply.status).toBe(204);
    expect(reply.headers.get('location')).toBe(
      `${account.url}/services/rest/record/v1/customer/${idIn(reply)}`,
    );
    expect(reply.body).toEqual({});
  });

  test('GET shows references with names, stamps, and links to sublists', async () => {
    const id = await account.create('customer', customerBody());
    const { body } = await account.record('GET', `customer/${id}`);
    expect(body).toMatchObject({
      id,
      companyName: 'ACME GmbH',
      subsidiary: { id: '2', refName: 'Meridian Consulting GmbH' },
      currency: { id: '4', refName: 'Euro' },
      isInactive: false,
      lastModifiedDate: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
      defaultAddress: 'Hauptstr. 1\n53111 Bonn\nGermany',
      addressBook: { links: [{ rel: 'self', href: expect.stringContaining(`/customer/${id}/addressBook`) }] },
    });
    expect(body.addressBook.items).toBeUndefined();
    expect(body.entityId).toMatch(/^CUST\d+$/);
  });

  test('expandSubResources shows the lines, fields narrows the body', async () => {
    const id = await account.create('customer', customerBody());
    const { addressBook } = await account.read('customer', id);
    expect(addressBook.items[0]).toMatchObject({
      defaultBilling: true,
      addressBookAddress: { zip: '53111', country: { id: 'DE', refName: 'Germany' } },
    });
    const { body } = await account.record('GET', `customer/${id}?fields=companyName,terms`);
    expect(Object.keys(body).sort()).toEqual(['companyName', 'id', 'links', 'terms']);
  });

  test('sublists are resources of their own', async () => {
    const id = await account.create('customer', customerBody());
    expect((await account.record('GET', `customer/${id}/addressBook`)).body.items).toHaveLength(1);
    const address = await account.record('GET', `customer/${id}/addressBook/1/addressBookAddress`);
    expect(address.body.city).toBe('Bonn');
    expect((await account.record('GET', `customer/${id}/addressBook/9`)).status).toBe(404);
  });

  test('names of types and properties match in any case', async () => {
    const id = idIn(
      await account.record('POST', 'Customer', { companyname: 'Lower GmbH', SUBSIDIARY: { id: '2' } }),
    );
    expect(await account.read('CUSTOMER', id)).toMatchObject({ companyName: 'Lower GmbH' });
  });

  test('keeps emoji, quotes and right-to-left text as they are', async () => {
    const companyName = '🚀 "Größe" & Söhne שלום';
    const id = await account.create('customer', customerBody({ companyName }));
    expect((await account.read('customer', id)).companyName).toBe(companyName);
  });

  test.each([
    ['customer/999999', 404, 'NONEXISTENT_ID'],
    ['customer/eid:nobody', 404, 'NONEXISTENT_ID'],
    ['unicorn', 404, 'NONEXISTENT_ID'],
    ['ledgerAccount', 404, 'NONEXISTENT_ID'],
    ['customer/%E0%A4%A', 404, 'NONEXISTENT_ID'],
  ])('GET %s → %i', async (path, status, code) => {
    expect(refusal(await account.record('GET', path))).toMatchObject({ status, code });
  });

  test('refuses methods that make no sense', async () => {
    expect((await account.record('DELETE', 'customer')).status).toBe(405);
    expect((await account.record('POST', 'customer/1')).status).toBe(405);
  });
});

describe('checks of values', () => {
  test.each<[string, Record<string, unknown>, string, string]>([
    ['no subsidiary', { subsidiary: undefined }, 'USER_ERROR', 'subsidiary'],
    ['no name', { companyName: undefined }, 'USER_ERROR', 'companyName'],
    ['an empty name', { companyName: '' }, 'USER_ERROR', 'companyName'],
    ['84 characters', { companyName: 'x'.repeat(84) }, 'USER_ERROR', 'companyName'],
    ['an unknown subsidiary', { subsidiary: { id: '99' } }, 'USER_ERROR', 'subsidiary'],
    ['an unknown currency', { currency: { id: '99' } }, 'USER_ERROR', 'currency'],
    ['unknown terms', { terms: { id: '99' } }, 'USER_ERROR', 'terms'],
    ['terms nobody has as external id', { terms: { externalId: 'x' } }, 'INVALID_KEY_OR_REF', 'terms'],
    ['a name that is a number', { companyName: 5 }, 'INVALID_CONTENT', 'companyName'],
    ['a reference that is an empty object', { terms: {} }, 'INVALID_CONTENT', 'terms'],
    ['an amount that is text', { creditLimit: '100' }, 'INVALID_CONTENT', 'creditLimit'],
    ['an amount of 16 digits', { creditLimit: 1e15 }, 'USER_ERROR', 'creditLimit'],
    ['a truth value that is text', { isInactive: 'F' }, 'INVALID_CONTENT', 'isInactive'],
    ['a date that does not exist', { startDate: '2026-02-30' }, 'INVALID_CONTENT', 'startDate'],
    ['an e-mail address without domain', { email: 'mail' }, 'USER_ERROR', 'email'],
    ['a short phone number', { phone: '12345' }, 'USER_ERROR', 'phone'],
    ['a website without scheme', { url: 'www.acme.example' }, 'USER_ERROR', 'url'],
    ['a sublist that is an array', { addressBook: [] }, 'INVALID_CONTENT', 'addressBook'],
    [
      'an unknown country',
      { addressBook: { items: [{ addressBookAddress: { country: { id: 'XX' } } }] } },
      'USER_ERROR',
      'addressBook.items[0].addressBookAddress.country',
    ],
  ])('%s is refused', async (_, override, code, path) => {
    const reply = await account.record('POST', 'customer', customerBody(override));
    expect(refusal(reply)).toMatchObject({ status: 400, code, path });
    expect(reply.headers.get('content-type')).toContain('type=error');
  });

  test.each([['{"companyName":'], ['[]'], ['"text"'], ['']])('refuses the body %s', async (body) => {
    expect(refusal(await account.record('POST', 'customer', body))).toMatchObject({
      status: 400,
      code: 'INVALID_CONTENT',
    });
  });

  test('unknown properties are dropped, unless the caller asks for strictness', async () => {
    const body = customerBody({ favouriteColour: 'red' });
    const id = await account.create('customer', body);
    expect(await account.read('customer', id)).not.toHaveProperty('favouriteColour');
    const strict = await account.record('POST', 'customer', body, {
      'X-NetSuite-PropertyNameValidation': 'Error',
    });
    expect(refusal(strict)).toMatchObject({ status: 400, code: 'INVALID_CONTENT', path: 'favouriteColour' });
  });

  test('custom fields exist once the administrator made them', async () => {
    const strict = { 'X-NetSuite-PropertyNameValidation': 'Error' };
    const body = customerBody({ custentity_tax_number: 'DE1' });
    expect((await account.record('POST', 'customer', body, strict)).status).toBe(400);
    await account.person('POST', 'customField', { scriptId: 'custentity_tax_number', kind: 'text' });
    const id = idIn(await account.record('POST', 'customer', body, strict));
    expect((await account.read('customer', id)).custentity_tax_number).toBe('DE1');
  });

  test('a refused call leaves nothing behind', async () => {
    const count = async (): Promise<number> =>
      (await account.record('GET', 'customer?limit=1')).body.totalResults;
    const before = await count();
    await account.record('POST', 'customer', customerBody({ terms: { id: '99' } }));
    expect(await count()).toBe(before);
  });
});

describe('external ids', () => {
  test('PUT creates, then updates the same record', async () => {
    const path = 'customer/eid:q2c:put-1';
    const first = await account.record('PUT', path, customerBody());
    const second = await account.record('PUT', path, { companyName: 'ACME SE' });
    expect([first.status, second.status]).toEqual([204, 204]);
    expect(idIn(second)).toBe(idIn(first));
    const { body } = await account.record('GET', path);
    expect(body).toMatchObject({ companyName: 'ACME SE', externalId: 'q2c:put-1', terms: { id: '2' } });
  });

  test('PUT needs the eid form', async () => {
    expect(refusal(await account.record('PUT', 'customer/107', customerBody()))).toMatchObject({
      status: 400,
      code: 'INVALID_ID',
    });
  });

  test('references, PATCH and DELETE understand external ids', async () => {
    await account.record('PUT', 'customer/eid:ext-2', customerBody());
    await account.record('PUT', 'job/eid:ext-prj', projectBody('', { parent: { externalId: 'ext-2' } }));
    expect((await account.record('PATCH', 'job/eid:ext-prj', { comments: 'x' })).status).toBe(204);
    expect((await account.record('DELETE', 'job/eid:ext-prj')).status).toBe(204);
    expect((await account.record('GET', 'job/eid:ext-prj')).status).toBe(404);
  });

  test('an external id is unique within a type, free again after deletion', async () => {
    const id = await account.create('customer', customerBody({ externalId: 'dup' }));
    const duplicate = await account.record('POST', 'customer', customerBody({ externalId: 'dup' }));
    expect(refusal(duplicate)).toMatchObject({ status: 400, code: 'DUP_RCRD', path: 'externalId' });
    await account.create('department', { name: 'Same key, other type', externalId: 'dup' });
    await account.record('DELETE', `customer/${id}`);
    await account.create('customer', customerBody({ externalId: 'dup' }));
  });
});

describe('PATCH', () => {
  test('leaves out what is left out, empties what is null', async () => {
    const id = await account.create('customer', customerBody({ email: 'ap@acme.example' }));
    await account.record('PATCH', `customer/${id}`, { terms: null, phone: '+49 228 123456' });
    const customer = await account.read('customer', id);
    expect(customer).toMatchObject({ email: 'ap@acme.example', phone: '+49 228 123456' });
    expect(customer.terms).toBeUndefined();
    expect(refusal(await account.record('PATCH', `customer/${id}`, { companyName: null }))).toMatchObject({
      code: 'USER_ERROR',
    });
  });

  test('adds lines without key, changes lines with key, replaces all on request', async () => {
    const id = await account.create('customer', customerBody());
    const cities = async (): Promise<unknown[]> =>
      (await account.read('customer', id)).addressBook.items.map((line) => line.addressBookAddress.city);
    const change = (items: unknown[], search = ''): Promise<unknown> =>
      account.record('PATCH', `customer/${id}${search}`, { addressBook: { items } });
    await change([{ addressBookAddress: { city: 'Köln' } }]);
    expect(await cities()).toEqual(['Bonn', 'Köln']);
    await change([{ internalId: 2, addressBookAddress: { city: 'Kiel' } }]);
    expect(await cities()).toEqual(['Bonn', 'Kiel']);
    await change([{ addressBookAddress: { city: 'Ulm' } }], '?replace=addressBook');
    expect(await cities()).toEqual(['Ulm']);
    await change([], '?replace=addressBook');
    expect(await cities()).toEqual([]);
    expect((await account.record('PATCH', `customer/${id}?replace=nothing`, {})).status).toBe(400);
  });

  test('moves lastModifiedDate', async () => {
    const id = await account.create('customer', customerBody());
    const before = (await account.control('GET', `records/customer/${id}`)).body.modified;
    await account.record('PATCH', `customer/${id}`, { comments: 'x' });
    expect((await account.control('GET', `records/customer/${id}`)).body.modified).toBeGreaterThan(before);
  });
});

describe('collections', () => {
  beforeAll(async () => {
    for (const [index, title] of ['Alpha', 'Beta', 'Gamma', 'alphabet', 'A "quoted"'].entries()) {
      await account.create('projectTask', {
        title,
        estimatedWork: index * 8,
        startDate: `2026-0${index + 1}-01`,
        externalId: `col-${index}`,
        nonBillableTask: index === 0,
        project: await project(),
      });
    }
  });
  let projectId: Promise<string> | undefined;
  const project = (): Promise<string> => {
    projectId ??= account
      .create('customer', customerBody())
      .then((customer) => account.create('job', projectBody(customer)));
    return projectId;
  };
  const find = async (q: string): Promise<unknown[]> => {
    const { status, body } = await account.record('GET', `projectTask?q=${encodeURIComponent(q)}`);
    if (status !== 200) return [refusal({ status, body, headers: new Headers() }).code];
    const tasks = await Promise.all(body.items.map(({ id }) => account.read('projectTask', id)));
    return tasks.map(({ title }) => title);
  };

  test.each([
    ['title IS "alpha"', ['Alpha']],
    ['title START_WITH "alpha"', ['Alpha', 'alphabet']],
    ['title CONTAIN "bet"', ['Beta', 'alphabet']],
    ['title ENDWITH "a"', ['Alpha', 'Beta', 'Gamma']],
    ['title IS "A \\"quoted\\""', ['A "quoted"']],
    ['title IS_NOT "alpha" AND estimatedWork LESS 20', ['Beta', 'Gamma']],
    ['estimatedWork BETWEEN 8 AND 16', ['Beta', 'Gamma']],
    ['estimatedWork EQUAL 0 OR (title IS "beta" AND estimatedWork GREATER 7)', ['Alpha', 'Beta']],
    ['startDate ON_OR_AFTER "4/1/2026"', ['alphabet', 'A "quoted"']],
    ['startDate BEFORE "2026-02-01"', ['Alpha']],
    ['status ANY_OF ["COMPLETE", "PROGRESS"]', []],
    ['nonBillableTask IS true', ['Alpha']],
    ['externalId IS "col-2"', ['Gamma']],
    ['finishByDate EMPTY AND title IS "Beta"', ['Beta']],
    ['finishByDate EMPTY_NOT', []],
    ['unknown IS "x"', ['INVALID_PARAMETER']],
    ['title GREATER 5', ['INVALID_PARAMETER']],
    ['title IS', ['INVALID_PARAMETER']],
    ['title IS "a" AND', ['INVALID_PARAMETER']],
  ])('q=%s', async (q, titles) => {
    expect(await find(q)).toEqual(titles);
  });

  test('pages by limit and offset, and links to the next page', async () => {
    const first = (await account.record('GET', 'projectTask?limit=2')).body;
    expect(first).toMatchObject({ count: 2, hasMore: true, offset: 0, totalResults: 5 });
    const next = first.links.find(({ rel }) => rel === 'next')?.href;
    expect(next).toContain('limit=2&offset=2');
    const last = (await account.record('GET', 'projectTask?limit=2&offset=4')).body;
    expect(last).toMatchObject({ count: 1, hasMore: false, offset: 4 });
    expect(first.items[0]).toEqual({
      id: expect.any(String),
      links: [{ rel: 'self', href: expect.any(String) }],
    });
  });

  test.each([['limit=0'], ['limit=1001'], ['limit=x'], ['offset=-1']])('refuses %s', async (search) => {
    expect(refusal(await account.record('GET', `projectTask?${search}`))).toMatchObject({
      status: 400,
      code: 'INVALID_PARAMETER',
    });
  });

  test('a partial page says that there is more', async () => {
    await account.control('POST', 'faults', {
      kind: 'partial-page',
      times: 1,
      match: { path: 'projectTask' },
    });
    const { body } = await account.record('GET', 'projectTask');
    expect(body).toMatchObject({ count: 2, hasMore: true, totalResults: 5 });
    const next = new URL(body.links.find(({ rel }) => rel === 'next')?.href ?? '');
    expect(next.searchParams.get('offset')).toBe('2');
  });
});
