import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DealDocument, JsonObject, JsonValue } from '../../lib/model';
import { system } from '../../lib/systems/netsuite';
import {
  contextOf,
  fixedBid,
  inNetSuite,
  provisioned,
  workedExample,
} from '../unit/systems/netsuite/support';

/**
 * Every field that the connector sends exists in NetSuite with the type it is sent as. NetSuite publishes no REST
 * schema; the SuiteTalk (SOAP) types and the SuiteScript records come closest. Their names are compared without
 * case, and REST sublists are the `…List` of SuiteTalk.
 */
const SPECS = join(__dirname, '../../../shared/specs/netsuite');

interface Types {
  types: Record<string, Record<string, string>>;
  enums: Record<string, string[]>;
}
interface Scripts {
  records: Record<string, { fields: { internalId: string }[] }>;
}

/** Type of each record; types of the lines of its sublists. */
const RECORDS: Record<string, { type: string; lines: Record<string, string> }> = {
  customer: {
    type: 'Customer',
    lines: { addressBook: 'CustomerAddressbook', currencyList: 'CustomerCurrency' },
  },
  contact: { type: 'Contact', lines: {} },
  job: { type: 'Job', lines: {} },
  projectTask: { type: 'ProjectTask', lines: {} },
  billingSchedule: {
    type: 'BillingSchedule',
    lines: { milestone: 'BillingScheduleMilestone', recurrence: 'BillingScheduleRecurrence' },
  },
  charge: { type: 'Charge', lines: {} },
  salesOrder: { type: 'SalesOrder', lines: { item: 'SalesOrderItem' } },
};

/** Fields of the REST samples in Oracle's help that SuiteTalk names otherwise. */
const REST_ONLY: Record<string, string> = {
  'ProjectTask.project': 'RecordRef',
  'CustomerCurrency.currency': 'RecordRef',
};

/** REST ids of list values, and the SuiteTalk value each stands for. */
const ENUM_IDS: Record<string, string> = {
  FBM: '_fixedBidMilestone',
  TM: '_timeAndMaterials',
  CB: '_chargeBased',
  STD: '_standard',
  CUSTOM: '_custom',
  NOTSTART: '_notStarted',
  ASAP: '_asSoonAsPossible',
  FIXEDSTART: '_fixedStart',
  HOLD_FOR_BILLING: '_hold',
  READY_FOR_BILLING: '_ready',
  Actual: '_actual',
};

const present = existsSync(SPECS);
if (!present) process.stderr.write(`NetSuite contract test skipped: there are no specs in ${SPECS}\n`);
const read = <T>(name: string): T => JSON.parse(readFileSync(join(SPECS, name), 'utf8')) as T;
const { types, enums } = present ? read<Types>('suitetalk-types.derived.json') : { types: {}, enums: {} };
const { records: scripts } = present ? read<Scripts>('suitescript-records.subset.json') : { records: {} };

/** Bodies of all writing operations for a deal that uses each of them. */
function bodiesOf(deal: DealDocument): [recordType: string, body: JsonObject][] {
  const writing = system.operations.filter(({ duplicateSafety }) => duplicateSafety !== 'read-only');
  return writing.flatMap((operation) =>
    operation
      .select(deal, {})
      .map((item): [string, JsonObject] => [
        operation.recordType,
        operation.toSystem(item, contextOf(deal)).body,
      ]),
  );
}

function example(base: ReturnType<typeof workedExample>): DealDocument {
  const deal = provisioned(base);
  return {
    ...deal,
    contract: { ...deal.contract, currency: base.contract.currency },
    contractLines: deal.contractLines.map((line) => inNetSuite(line, 'billingSchedule', '9')),
    milestones: deal.milestones.map((milestone, index) =>
      index === 0 ? { ...milestone, status: 'accepted' } : milestone,
    ),
    tasks: deal.tasks.map((task) => ({ ...task, period: deal.project.period })),
  };
}

/** What is sent besides: adoption, compensation, the parent of a task, a second currency. */
const FURTHER: [string, JsonObject][] = [
  ['customer', { externalId: 'q2c:x', currencyList: { items: [{ currency: { id: '1' } }] } }],
  ['contact', { externalId: 'q2c:x', entityId: 'Madonna', phone: '1' }],
  ['job', { isInactive: true, externalId: 'q2c:x' }],
  ['billingSchedule', { isInactive: true, externalId: 'q2c:x' }],
  ['projectTask', { parent: { id: '1' }, externalId: 'q2c:x' }],
  ['charge', { externalId: 'q2c:x' }],
  ['salesOrder', { externalId: 'q2c:x' }],
];

const bodies = [...bodiesOf(example(workedExample())), ...bodiesOf(example(fixedBid())), ...FURTHER];

const ifSpecs = present ? describe : describe.skip;

ifSpecs('fields sent to NetSuite', () => {
  test.each(bodies.map(([record, body]) => [record, JSON.stringify(body).slice(0, 60), body] as const))(
    '%s %s',
    (record, _short, body) => {
      expect(problemsIn(body, RECORDS[record]?.type ?? '', record, RECORDS[record]?.lines ?? {})).toEqual([]);
    },
  );

  test('the comparison finds what does not exist or has another type', () => {
    const lines = RECORDS.salesOrder?.lines ?? {};
    const wrong = { poNumber: 'x', currency: 'EUR', item: { items: [{ amount: '5', sku: 1 }] } };
    expect(problemsIn(wrong, 'SalesOrder', 'salesOrder', lines)).toEqual([
      'SalesOrder.poNumber does not exist',
      'SalesOrder.currency is RecordRef, not "EUR"',
      'SalesOrderItem.amount is float, not "5"',
      'SalesOrderItem.sku does not exist',
    ]);
  });

  test('every list value that is sent stands for one that exists', () => {
    const known = new Set(Object.values(enums).flat());
    expect(Object.values(ENUM_IDS).filter((value) => !known.has(value))).toEqual([]);
  });

  test('each kind of record is covered', () => {
    expect(new Set(bodies.map(([record]) => record))).toEqual(new Set(Object.keys(RECORDS)));
  });
});

function problemsIn(
  body: JsonObject,
  typeName: string,
  record: string | null,
  lines: Record<string, string>,
): string[] {
  return Object.entries(body).flatMap(([name, value]) => {
    const lineType = lines[name];
    if (lineType !== undefined) return linesOf(value).flatMap((line) => problemsIn(line, lineType, null, {}));
    const path = `${typeName}.${name}`;
    const kind = REST_ONLY[path] ?? typeOfField(typeName, name, record);
    if (kind === undefined) return [`${path} does not exist`];
    if (kind === 'Address') return problemsIn(value as JsonObject, 'Address', null, {});
    return fits(value, kind) ? [] : [`${path} is ${kind}, not ${JSON.stringify(value)}`];
  });
}

function linesOf(value: JsonValue | undefined): JsonObject[] {
  const { items } = value as { items: JsonObject[] };
  return items;
}

function typeOfField(typeName: string, name: string, record: string | null): string | undefined {
  const lower = name.toLowerCase();
  const own = Object.entries(types[typeName] ?? {}).find(([field]) => field.toLowerCase() === lower)?.[1];
  if (own !== undefined || record === null) return own;
  const scripted = scripts[record.toLowerCase()]?.fields.some(
    ({ internalId }) => internalId.toLowerCase() === lower,
  );
  return scripted ? 'string' : undefined;
}

function fits(value: JsonValue | undefined, kind: string): boolean {
  if (kind === 'boolean') return typeof value === 'boolean';
  if (kind === 'float' || kind === 'integer') return typeof value === 'number';
  // Texts, dates, and numbers that may be percentages in SuiteTalk.
  if (kind === 'string') return typeof value === 'string' || typeof value === 'number';
  const id = (value as { id?: unknown } | null)?.id;
  if (typeof id !== 'string') return false;
  const enumeration = enums[kind];
  return enumeration === undefined || enumeration.includes(ENUM_IDS[id] ?? '');
}
