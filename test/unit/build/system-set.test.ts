import { join } from 'node:path';
import { registeredTypes, templateTypes, textKeys } from '../../../scripts/build/inspect';
import { systemCatalogue } from '../../../scripts/build/system-catalogue';
import { systemHtml } from '../../../scripts/build/system-forms';
import { systemHelp } from '../../../scripts/build/system-help';
import { acme } from './fixture';

const root = join(__dirname, '../../..');
const html = (manifest = acme) => systemHtml(root, { name: `q2c-${manifest.id}`, manifest });

describe('the html of a generated set', () => {
  test('shows all types, ports and property names to a parser that does not run it', async () => {
    const text = await html();
    const [connection, operation, events] = registeredTypes(text);
    expect(templateTypes(text)).toEqual(['q2c-acme-connection', 'q2c-acme', 'q2c-acme-events']);
    expect(connection).toMatchObject({
      type: 'q2c-acme-connection',
      category: 'config',
      color: '#abcdef',
      icon: 'q2c-acme.svg',
      credentials: { clientSecret: 'password', privateKey: 'password' },
    });
    expect(connection?.defaults.sort()).toEqual(
      ['auth', 'clientId', 'concurrency', 'environment', 'host', 'instance', 'mode', 'name'].sort(),
    );
    expect(operation).toMatchObject({ type: 'q2c-acme', category: 'q2c_systems', inputs: 1, outputs: 1 });
    expect(operation?.defaults).toEqual([
      'name',
      'connection',
      'store',
      'firm',
      'entity',
      'verb',
      'input',
      'inputType',
      'query',
      'queryType',
    ]);
    expect(events).toMatchObject({ type: 'q2c-acme-events', inputs: 0, outputs: 1 });
  });

  test('has one form row per field, shown for the schemes and operations that need it', async () => {
    const text = await html();
    const count = (part: string) => text.split(part).length - 1;
    expect(count('id="node-config-input-clientId"')).toBe(1);
    expect(text).toMatch(/data-q2c-schemes="secret key">\s*<label for="node-config-input-clientId"/);
    expect(text).toMatch(/data-q2c-schemes="key">\s*<label for="node-config-input-privateKey"/);
    expect(text).toMatch(/data-q2c-operations="records.query">\s*<label for="node-input-query"/);
    expect(text).toContain('<input type="password" id="node-config-input-clientSecret"');
    expect(text).toMatch(/<textarea id="node-config-input-privateKey" class="[^"]*q2c-secret/);
    expect(text).toContain('<option value="a:1" data-i18n="field.mode.options.0">');
  });

  test('lets the manifest describe a field that every connection has', async () => {
    const text = await html();
    expect(text.split('id="node-config-input-concurrency"')).toHaveLength(2);
    expect(textKeys(text)).toContain('field.concurrency.label');
    expect(textKeys(text)).not.toContain('connection.concurrency.label');
  });

  test('has no events node when the system tells nothing', async () => {
    const text = await html({ ...acme, events: {} });
    expect(templateTypes(text)).toEqual(['q2c-acme-connection', 'q2c-acme']);
    expect(registeredTypes(text).map(({ type }) => type)).toEqual(templateTypes(text));
  });
});

const words = {
  colon: ': ',
  optional: ' (optional)',
  none: 'none',
  customField: '`__name__` of __object__ (__type__)',
};

describe('the texts of a generated set', () => {
  test('stand under the keys of the forms', () => {
    expect(systemCatalogue(acme)).toMatchObject({
      system: { label: 'Acme "ERP"' },
      scheme: { secret: { label: 'Client secret', help: 'How to get one.' } },
      field: {
        host: { label: 'Host', help: 'No path.', placeholder: 'acme.example' },
        mode: { options: { 0: 'First', 1: 'Second' } },
      },
      parameter: { query: { label: 'Query' } },
      entity: { customer: { label: 'Customer', upsert: { label: 'Create or update customer' } } },
      event: { 'order-paid': { description: 'An order was paid.' } },
    });
  });

  test('help speaks the language of its texts', () => {
    const german = {
      ...systemCatalogue(acme),
      customField: { Customer: { q2c_id: 'unsere ID' } },
      event: { 'order-paid': { label: 'Auftrag bezahlt', description: 'Ein Auftrag wurde bezahlt.' } },
    };
    const template = '{{events}}\n{{customFields}}\n{{settings}}';
    const text = systemHelp(template, acme, german, {
      ...words,
      colon: '：',
      optional: ' (darf leer sein)',
      customField: '`__name__` von __object__ (__type__)',
    });
    expect(text).toContain('- **Auftrag bezahlt** (`q2c.payment.received.v1`)：Ein Auftrag wurde bezahlt.');
    expect(text).toContain('- `q2c_id` von Customer (Text(80), External ID, Unique)：unsere ID');
    expect(text).toContain('- **Mode** (darf leer sein)\n');
  });

  test('help is filled from the manifest, and refuses a slot that nothing fills', () => {
    const script = (name: string, body: string) =>
      `<script type="text/markdown" data-help-name="q2c-{{id}}${name}">\n${body}\n</script>\n`;
    const template =
      script('', '{{operations}}\n{{schemes}}\n{{customFields}}') + script('-events', '{{events}}');
    const text = systemHelp(template, acme, systemCatalogue(acme), words);
    expect(text).toContain('- **Create or update customer**: Creates or updates.');
    expect(text).toContain('- **Client ID**\n- **Client secret**\n');
    expect(text).toContain('- `q2c_id` of Customer (Text(80), External ID, Unique): our id');
    expect(text).toContain('data-help-name="q2c-acme-events"');
    expect(systemHelp(template, { ...acme, events: {} }, systemCatalogue(acme), words)).not.toContain(
      'q2c-acme-events',
    );
    expect(() => systemHelp('{{unknown}}', acme, {}, words)).toThrow('{{unknown}}');
  });
});
