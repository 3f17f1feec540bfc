import {
  codeInWords,
  type ExceptionCode,
  entityNames,
  exceptionCodes,
  exceptionMessage,
  isExceptionCode,
  ownerRole,
  Q2cError,
  roles,
} from '../../../lib/model';

const codes = Object.keys(exceptionCodes) as ExceptionCode[];

test('every code of the domain guide is there', () => {
  const guide =
    `TAX_REGISTRATION_MISSING TAX_CODE_UNRESOLVED TAX_MISMATCH LEGAL_ENTITY_UNMAPPED MANDATORY_FIELD_MISSING
    DUPLICATE_SUSPECTED CREDIT_HOLD RATE_MISSING CAP_EXCEEDED MILESTONE_NOT_IN_CONTRACT CHANGE_ORDER_STALE
    CHANGE_ORDER_REVIEW PERIOD_CLOSED FX_RATE_MISSING OWNERSHIP_VIOLATION ILLEGAL_TRANSITION IDEMPOTENCY_MISMATCH
    OUTCOME_UNKNOWN TARGET_REJECTED TARGET_UNAVAILABLE RATE_LIMITED AUTH_EXPIRED SEQUENCE_GAP DRIFT_DETECTED
    COMPENSATION_FAILED SCHEMA_CHANGED`.split(/\s+/);
  expect(codes).toEqual(expect.arrayContaining(guide));
});

test('only what time cures is retried', () => {
  expect(codes.filter((code) => exceptionCodes[code].autoRetry === true).toSorted()).toEqual([
    'COMPENSATION_FAILED',
    'FX_RATE_MISSING',
    'IDEMPOTENCY_IN_PROGRESS',
    'RATE_LIMITED',
    'SEQUENCE_GAP',
    'TARGET_UNAVAILABLE',
  ]);
  expect(exceptionCodes.OUTCOME_UNKNOWN.autoRetry).toBe('probe');
});

test.each(codes)('%s has a full message and an owner', (code) => {
  const { pattern, title } = exceptionCodes[code];
  expect(title).not.toBe('');
  const names = [...pattern.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? '');
  const filled = exceptionMessage(code, Object.fromEntries(names.map((name) => [name, `<${name}>`])));
  for (const name of names) expect(filled).toContain(`<${name}>`);
  expect(filled).not.toMatch(/[{}]/);
  expect(exceptionMessage(code)).not.toMatch(/[{}]|undefined/);
  for (const entity of [...entityNames, undefined]) expect(roles).toContain(ownerRole(code, entity));
});

test('messages read as sentences', () => {
  expect(exceptionMessage('TAX_REGISTRATION_MISSING', { customer: 'Nordwind AG', country: 'DE' })).toBe(
    'Project for Nordwind AG cannot start: the tax registration for DE is missing.',
  );
  expect(exceptionMessage('LEGAL_ENTITY_UNMAPPED', { region: 'APAC' })).toBe(
    'No selling entity is mapped for APAC/unknown service line.',
  );
  expect(exceptionMessage('NODE_FAILED', { node: 'Create $& customer', reason: '$1' })).toBe(
    'Create $& customer failed: $1',
  );
});

test('a reason that is a sentence brings no second full stop', () => {
  const message = exceptionMessage('TARGET_REJECTED', { reason: 'The request was refused.' });
  expect(message).toContain('The request was refused.');
  expect(message).not.toContain('..');
});

test('a code owned by its record goes to the owner of the record', () => {
  expect(ownerRole('TARGET_REJECTED', 'invoice')).toBe('finance_ops');
  expect(ownerRole('TARGET_REJECTED', 'project')).toBe('project_ops');
  expect(ownerRole('MANDATORY_FIELD_MISSING', 'opportunity')).toBe('sales_ops');
  expect(ownerRole('MANDATORY_FIELD_MISSING')).toBe('integration_ops');
  expect(ownerRole('CREDIT_HOLD', 'opportunity')).toBe('finance_ops');
});

test('codes are recognised', () => {
  expect(isExceptionCode('CREDIT_HOLD')).toBe(true);
  expect(['constructor', 'credit_hold', '', 1, null].some(isExceptionCode)).toBe(false);
});

test('an error carries its code and cause', () => {
  const cause = new Error('socket hang up');
  const error = new Q2cError('TARGET_UNAVAILABLE', 'NetSuite is not reachable.', { cause });
  expect(error).toBeInstanceOf(Error);
  expect(error).toMatchObject({
    name: 'Q2cError',
    code: 'TARGET_UNAVAILABLE',
    message: 'NetSuite is not reachable.',
    cause,
  });
});

test('an error says of itself what its message says, without the name of a class', () => {
  expect(String(new Q2cError('TARGET_UNAVAILABLE', 'NetSuite is not reachable.'))).toBe(
    'NetSuite is not reachable.',
  );
});

test('a code in words can stand behind others', () => {
  expect(codeInWords('TAX_REGISTRATION_MISSING')).toBe('tax registration missing');
  expect(codeInWords('TAX_MISMATCH')).toBe('tax differs from the ERP');
  expect(codeInWords('STORE_UNAVAILABLE')).toBe('store unavailable');
  expect(codeInWords('CONFIG_MISSING')).toBe('not set up');
});
