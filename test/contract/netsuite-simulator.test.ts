import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { RECORD_TYPES, typeOf } from '../../simulator/netsuite/schema';
import type { Field, Fields } from '../../simulator/netsuite/schema/fields';

/**
 * Field names and kinds of the simulated account against the SuiteTalk types and the SuiteScript records
 * (`specs/netsuite`). Both name things slightly differently from the REST record service, see its SOURCE.md: class
 * fields are camelCase with `RecordRef` for references, SuiteScript ids are lower case.
 */
const SPECS = process.env.Q2C_SPECS ?? join(__dirname, '../../../shared/specs');
const suiteTalkFile = join(SPECS, 'netsuite/suitetalk-types.derived.json');
const suiteScriptFile = join(SPECS, 'netsuite/suitescript-records.subset.json');
const isThere = existsSync(suiteTalkFile) && existsSync(suiteScriptFile);

if (!isThere)
  console.warn(`NetSuite contract tests are skipped: there is no ${suiteTalkFile} (set Q2C_SPECS)`);
const suite = isThere ? describe : describe.skip;

interface SuiteTalk {
  types: Record<string, Record<string, string>>;
  enums: Record<string, string[]>;
}
interface SuiteScript {
  records: Record<string, { fields?: { internalId: string; type: string; required: string }[] }>;
}

const suiteTalk: SuiteTalk = isThere
  ? JSON.parse(readFileSync(suiteTalkFile, 'utf8'))
  : { types: {}, enums: {} };
const suiteScript: SuiteScript = isThere
  ? JSON.parse(readFileSync(suiteScriptFile, 'utf8'))
  : { records: {} };

/** Record and line types of the simulator → SuiteTalk class. */
const CLASSES: Record<string, Fields> = {};
for (const name of [
  'customer',
  'contact',
  'job',
  'projectTask',
  'charge',
  'billingSchedule',
  'salesOrder',
  'invoice',
  'customerPayment',
  'creditMemo',
  'timeBill',
  'expenseReport',
  'jobStatus',
  'jobType',
  'subsidiary',
  'currency',
]) {
  CLASSES[name.replace(/^./, (first) => first.toUpperCase())] = typeOf(name).fields;
}
const LINES: Record<string, [type: string, sublist: string]> = {
  CustomerAddressbook: ['customer', 'addressBook'],
  SalesOrderItem: ['salesOrder', 'item'],
  InvoiceItem: ['invoice', 'item'],
  CustomerPaymentApply: ['customerPayment', 'apply'],
  BillingScheduleMilestone: ['billingSchedule', 'milestone'],
  BillingScheduleRecurrence: ['billingSchedule', 'recurrence'],
  ExpenseReportExpense: ['expenseReport', 'expense'],
};
for (const [className, [type, sublist]] of Object.entries(LINES)) {
  CLASSES[className] = typeOf(type).sublists[sublist]?.fields ?? {};
}

/** Names of the REST service that differ from the class. */
const RENAMED: Record<string, string> = { 'ProjectTask.project': 'company' };

/** Kinds the class types stand for. Dates and durations are texts there or classes of their own. */
const KINDS: Record<Field['kind'], RegExp> = {
  text: /^(string|RecordRef|float|integer)$/,
  email: /^string$/,
  phone: /^string$/,
  url: /^string$/,
  integer: /^(integer|string|\w+Precision)$/,
  number: /^(float|string|integer)$/,
  amount: /^(float|string)$/,
  boolean: /^boolean$/,
  date: /^string$/,
  dateTime: /^string$/,
  duration: /^Duration$/,
  reference: /^(RecordRef|integer|string)$/,
  choice: /^([A-Z]\w+|string)$/,
  country: /^Country/,
};

suite('record types against SuiteTalk', () => {
  test.each(Object.keys(CLASSES))('%s has fields of the class only, of the same kind', (className) => {
    const type = suiteTalk.types[className] ?? {};
    expect(Object.keys(type)).not.toHaveLength(0);
    const problems: string[] = [];
    for (const [name, field] of Object.entries(CLASSES[className] ?? {})) {
      const classType = type[RENAMED[`${className}.${name}`] ?? name];
      if (classType === undefined) problems.push(`${name} is not there`);
      else if (!KINDS[field.kind].test(classType))
        problems.push(`${name} is ${field.kind} here and ${classType} there`);
    }
    expect(problems).toEqual([]);
  });

  test('addresses', () => {
    const fields = typeOf('customer').sublists.addressBook?.subrecords?.addressBookAddress?.fields ?? {};
    expect(Object.keys(fields).filter((name) => !(name in (suiteTalk.types.Address ?? {})))).toEqual([]);
  });

  test.each([
    ['ChargeStage', 'charge', 'stage', 4],
    ['BillingScheduleType', 'billingSchedule', 'scheduleType', 5],
    ['ProjectTaskStatus', 'projectTask', 'status', 3],
    ['ProjectTaskConstraintType', 'projectTask', 'constraintType', 2],
    ['ProjectTaskPriority', 'projectTask', 'priority', 3],
    ['ChargeUse', 'charge', 'use', 2],
    ['BillingScheduleRepeatEvery', 'billingSchedule', 'repeatEvery', 5],
  ])('%s has as many values here as there', (name, type, field, count) => {
    expect(suiteTalk.enums[name]).toHaveLength(count);
    expect(Object.keys(typeOf(type).fields[field]?.values ?? {})).toHaveLength(count);
  });

  test('frequencies are those of SuiteTalk under their REST ids', () => {
    expect(Object.keys(typeOf('billingSchedule').fields.frequency?.values ?? {})).toHaveLength(
      suiteTalk.enums.BillingScheduleFrequency?.length ?? 0,
    );
  });
});

/** SuiteScript kinds by field kind here. */
const SCRIPT_KINDS: Partial<Record<Field['kind'], RegExp>> = {
  boolean: /^(checkbox|radio)$/,
  date: /^date$/,
  reference: /^(select|multiselect)$/,
  choice: /^(select|text)$/,
  amount: /^(currency|poscurrency|currency2|float|rate)$/,
};

suite('record types against SuiteScript', () => {
  const known = RECORD_TYPES.filter(
    ({ name }) => (suiteScript.records[name.toLowerCase()]?.fields ?? []).length > 0,
  );

  test('most types are described there', () => {
    expect(known.map(({ name }) => name)).toEqual(
      expect.arrayContaining([
        'customer',
        'contact',
        'salesOrder',
        'invoice',
        'customerPayment',
        'charge',
        'billingSchedule',
      ]),
    );
  });

  test.each(known.map(({ name }) => name))('fields of %s that are there have the same kind', (name) => {
    const fields = new Map(
      suiteScript.records[name.toLowerCase()]?.fields?.map((field) => [field.internalId, field.type]),
    );
    const problems = Object.entries(typeOf(name).fields).flatMap(([field, { kind }]) => {
      const there = fields.get(field.toLowerCase());
      const expected = SCRIPT_KINDS[kind];
      return there === undefined || !expected || expected.test(there)
        ? []
        : [`${field} is ${kind} here and ${there} there`];
    });
    expect(problems).toEqual([]);
  });

  test.each([
    ['customer', ['currency', 'entityId', 'entityStatus', 'subsidiary']],
    ['contact', ['entityId', 'subsidiary']],
    ['salesOrder', ['currency', 'entity', 'exchangeRate', 'orderStatus', 'tranDate']],
    ['charge', ['amount', 'billTo', 'chargeDate', 'chargeType', 'quantity', 'rate', 'stage']],
    ['customerPayment', ['currency', 'customer', 'exchangeRate', 'payment', 'tranDate']],
  ])('fields required of %s there are required here', (name, fields) => {
    const there = suiteScript.records[name.toLowerCase()]?.fields ?? [];
    for (const field of fields) {
      expect(there.find(({ internalId }) => internalId === field.toLowerCase())?.required).toBe('true');
      expect(typeOf(name).fields[field]?.required).toBe(true);
    }
  });
});
