import { SystemError } from '../../../../lib/systems/kit';
import { RecordService } from '../../../../lib/systems/netsuite/record-service';
import { type Answer, json, scriptedHttp } from './support';

const { signal } = new AbortController();
const KEY = 'q2c:cus_01KASY4Q8G3M6Z0V5T9R2B0001';

const refusal = (kind: SystemError['kind'], vendorCode: string | null) =>
  new SystemError({ system: 'netsuite', kind, reason: 'no', vendorCode });

function serviceOf(...answers: Answer[]) {
  const http = scriptedHttp(answers);
  return { http, records: new RecordService(http, 'netsuite') };
}

describe('record service', () => {
  test('upsert puts under our key and returns the id of the Location', async () => {
    const location = 'https://1234567.suitetalk.api.netsuite.com/services/rest/record/v1/salesorder/107';
    const { http, records } = serviceOf({ status: 204, headers: { location } });
    expect(await records.upsert('salesOrder', KEY, { memo: 'x' }, { replace: 'item', signal })).toBe('107');
    expect(http.requests[0]).toMatchObject({
      method: 'PUT',
      path: `/services/rest/record/v1/salesOrder/eid:${KEY}`,
      query: { replace: 'item' },
      headers: { 'X-NetSuite-PropertyNameValidation': 'Error' },
      json: { memo: 'x' },
    });
    expect(http.requests[0]?.safe).toBeUndefined();
  });

  test.each([
    ['without Location', {}],
    ['with a Location without id', { location: 'https://x/services/rest/record/v1/customer/' }],
    ['with a Location elsewhere', { location: 'https://x/login?return=7' }],
  ])('a reply %s leaves the outcome open', async (_name, headers) => {
    const { records } = serviceOf({ status: 204, headers });
    await expect(records.upsert('customer', KEY, {}, { signal })).rejects.toMatchObject({
      kind: 'unknown',
      code: 'OUTCOME_UNKNOWN',
    });
  });

  test('find is null only when NetSuite says that the record does not exist', async () => {
    const { records } = serviceOf(refusal('not_found', 'NONEXISTENT_ID'));
    expect(await records.find('job', KEY, [], signal)).toBeNull();
    const other = serviceOf(refusal('not_found', null));
    await expect(other.records.find('job', KEY, [], signal)).rejects.toMatchObject({ kind: 'not_found' });
  });

  test('find asks for the fields by our key', async () => {
    const { http, records } = serviceOf(json({ id: '328', entityId: 'P-1' }));
    expect(await records.find('job', KEY, ['entityId'], signal)).toMatchObject({
      id: '328',
      entityId: 'P-1',
    });
    expect(http.requests[0]).toMatchObject({
      method: 'GET',
      path: `/services/rest/record/v1/job/eid:${KEY}`,
      query: { fields: 'externalId,entityId' },
    });
  });

  test.each([[json({})], [json(null)], [json('ok')]])(
    'an answer without id decides nothing: %j',
    async (answer) => {
      const { records } = serviceOf(answer);
      await expect(records.find('job', KEY, [], signal)).rejects.toMatchObject({ kind: 'unknown' });
    },
  );

  test('remove is content with a record that is gone', async () => {
    const { http, records } = serviceOf(
      refusal('not_found', 'NONEXISTENT_ID'),
      refusal('not_found', 'NOT_FOUND'),
      refusal('rejected', 'USER_ERROR'),
    );
    await records.remove('charge', '9', signal);
    await expect(records.remove('charge', '9', signal)).rejects.toMatchObject({ kind: 'not_found' });
    await expect(records.remove('charge', '9', signal)).rejects.toMatchObject({ kind: 'rejected' });
    expect(http.requests.every(({ safe }) => safe === true)).toBe(true);
  });

  test('a key is one path segment', async () => {
    const { http, records } = serviceOf(json({ id: '1' }));
    await records.find('customer', 'a/b?c:d', [], signal);
    expect(http.requests[0]?.path).toBe('/services/rest/record/v1/customer/eid:a%2Fb%3Fc:d');
  });
});
