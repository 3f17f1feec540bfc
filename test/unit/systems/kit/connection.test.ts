import { z } from 'zod';
import { Q2cError } from '../../../../lib/model';
import { baseUrlOf, parseReply, readConnection, type SystemManifest } from '../../../../lib/systems/kit';

const manifest: SystemManifest = {
  id: 'acme',
  label: 'Acme',
  family: 'crm',
  color: '#ffffff',
  auth: [
    {
      id: 'key',
      label: 'Key',
      help: '',
      fields: [
        { id: 'host', label: 'Host', type: 'text', required: true },
        { id: 'apiKey', label: 'API key', type: 'text', secret: true, required: true },
      ],
    },
  ],
  settings: [
    { id: 'version', label: 'Version', type: 'text', default: '7' },
    { id: 'hidden', label: 'Hidden', type: 'text', secret: true },
  ],
  limits: {
    simulator: { concurrency: 9, timeoutMs: 1 },
    sandbox: { concurrency: 2, timeoutMs: 1 },
    production: { concurrency: 3, timeoutMs: 1 },
  },
  entities: {},
  events: {},
  access: [],
  customFields: [],
  preparation: [],
  classifiedFields: {},
};

const values = { host: 'acme.example', apiKey: 's3cret', hidden: 'h' };

test('defaults are filled in, secrets are no settings, limits can be lowered', () => {
  const connection = readConnection(manifest, {
    environment: 'production',
    auth: 'key',
    values,
    limits: { concurrency: 1 },
  });
  expect(connection.settings).toEqual({ version: '7' });
  expect(connection.value('apiKey')).toBe('s3cret');
  expect(connection.limits).toEqual({ concurrency: 1, timeoutMs: 1 });
});

test.each([
  ['empty field', { auth: 'key', values: { ...values, apiKey: ' ' } }, 'API key is empty'],
  ['unknown scheme', { auth: 'magic', values }, '"magic" is unknown'],
])('%s is named', (_name, config, message) => {
  const read = () => readConnection(manifest, { environment: 'sandbox', ...config });
  expect(read).toThrow(Q2cError);
  expect(read).toThrow(message);
});

test.each([
  ['acme.my.salesforce.com', 'https://acme.my.salesforce.com'],
  ['https://acme.example/', 'https://acme.example'],
  ['http://127.0.0.1:4600/salesforce/', 'http://127.0.0.1:4600/salesforce'],
  ['http://localhost:4600', 'http://localhost:4600'],
  ['http://simulator:4600/netsuite', 'http://simulator:4600/netsuite'],
  ['http://10.1.2.3:4600', 'http://10.1.2.3:4600'],
  ['http://[::1]:4600', 'http://[::1]:4600'],
])('host %s', (host, url) => {
  expect(baseUrlOf(manifest, host)).toBe(url);
});

test.each([
  'http://acme.example',
  'http://10.evil.example',
  'http://172.32.0.1',
  'ftp://acme.example',
  'not a host',
  'https://',
])('host %s is refused', (host) => {
  expect(() => baseUrlOf(manifest, host)).toThrow(/not a host/);
});

describe('replies', () => {
  const schema = z.object({ id: z.string(), lines: z.array(z.object({ amount: z.number() })) });
  const about = { system: 'acme', what: 'creating the order' };
  const reply = (body: z.infer<typeof jsonAny>) => ({ status: 200, headers: {}, body });
  const jsonAny = z.json();

  test('a good reply is typed', () => {
    const { id } = parseReply(schema, reply({ id: '1', lines: [{ amount: 2 }] }), { ...about, write: true });
    expect(id).toBe('1');
  });

  test('the path that is wrong is named; a write is unknown, a read a changed interface', () => {
    const bad = reply({ id: '1', lines: [{ amount: 1 }, { amount: 'x' }] });
    expect(() => parseReply(schema, bad, { ...about, write: true })).toThrow(/lines\.1\.amount/);
    expect(thrownBy(() => parseReply(schema, bad, { ...about, write: true }))).toMatchObject({
      kind: 'unknown',
      code: 'OUTCOME_UNKNOWN',
    });
    expect(thrownBy(() => parseReply(schema, bad, { ...about, write: false }))).toMatchObject({
      kind: 'rejected',
      code: 'SCHEMA_CHANGED',
    });
    expect(() => parseReply(schema, reply(null), { ...about, write: true })).toThrow(/is empty/);
  });
});

function thrownBy(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}
