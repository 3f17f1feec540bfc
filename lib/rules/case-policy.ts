import { IANAZone } from 'luxon';
import * as z from 'zod';
import {
  type ExceptionCode,
  entityNames,
  exceptionCodes,
  isCurrency,
  isDecimal,
  isLocalDate,
  roles,
} from '../model';

/**
 * Who answers for a case, how urgent it is, until when it must be dealt with, and which actions need a second person.
 * Data the firm owns: part of its set-up, versioned by its name and content.
 */

const text = z.string().trim().min(1);
const roleSchema = z.enum(roles);
const severitySchema = z.enum(['critical', 'error', 'warning']);
const codeSchema = z.enum(Object.keys(exceptionCodes) as [ExceptionCode, ...ExceptionCode[]]);
const entitySchema = z.enum(entityNames);
const dateSchema = z.string().refine(isLocalDate, { error: 'must be a date of the form YYYY-MM-DD' });

/** Amounts by currency code; `*` stands for the currencies that are not named. */
const amountsSchema = z.record(
  z.string().refine((code) => code === '*' || isCurrency(code), {
    error: 'must be a currency of ISO 4217, or *',
  }),
  z.string().refine((amount) => isDecimal(amount) && !amount.startsWith('-'), {
    error: 'must be an amount as text, such as "50000.00"',
  }),
);

const weekdays = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
export type Weekday = (typeof weekdays)[number];

/** Wall-clock hours of a day, such as `09:00-17:30`; `24:00` is the end of the day. */
const HOURS = /^([01]\d|2[0-3]):[0-5]\d-(([01]\d|2[0-3]):[0-5]\d|24:00)$/;
const hoursSchema = z.string().refine((span) => HOURS.test(span) && span.slice(0, 5) < span.slice(6), {
  error: 'must be hours of one day such as "09:00-17:00"',
});

/** Days on which the books are closed: work on cases rests, or has to be quicker. Both dates belong to it. */
const fiscalCloseSchema = z
  .discriminatedUnion('effect', [
    z.strictObject({ from: dateSchema, to: dateSchema, effect: z.literal('pause') }),
    z.strictObject({
      from: dateSchema,
      to: dateSchema,
      effect: z.literal('tighten'),
      /** What is left of the working hours of a case that is opened in it. */
      percent: z.number().gt(0).lt(100),
    }),
  ])
  .refine(({ from, to }) => from <= to, { error: 'ends before it begins', path: ['to'] });

const calendarSchema = z.strictObject({
  /** IANA name: hours and dates are those of its wall clock. */
  timeZone: text.refine((zone) => IANAZone.isValidZone(zone), {
    error: 'must be a time zone such as Europe/Berlin',
  }),
  hours: z
    .partialRecord(z.enum(weekdays), z.array(hoursSchema))
    .refine((hours) => Object.values(hours).some((spans) => spans.length > 0), {
      error: 'needs working hours on at least one day',
    })
    .refine((hours) => Object.values(hours).every(isInOrder), {
      error: 'hours of a day must be in order and must not overlap',
    }),
  holidays: z.array(dateSchema).default([]),
  fiscalCloses: z.array(fiscalCloseSchema).default([]),
});
export type WorkingCalendar = z.infer<typeof calendarSchema>;

function isInOrder(spans: readonly string[]): boolean {
  return spans.every((span, index) => index === 0 || (spans[index - 1] ?? '').slice(6) <= span.slice(0, 5));
}

const onBreachSchema = z.strictObject({
  severity: severitySchema.optional(),
  /** Role that owns the case from then on. */
  escalateTo: roleSchema.optional(),
});

/** What a rule may say; what it leaves open, a later rule or `otherwise` says. */
const outcomes = {
  ownerRole: roleSchema.optional(),
  severity: severitySchema.optional(),
  /** Working hours in which the case must be dealt with. */
  slaHours: z.number().positive().max(10_000).optional(),
  calendar: text.optional(),
  onBreach: onBreachSchema.optional(),
};

const ruleSchema = z.strictObject({
  /** All that is given must fit; a list fits with any of its values. */
  when: z.strictObject({
    codes: z.array(codeSchema).min(1).optional(),
    systems: z.array(text).min(1).optional(),
    entities: z.array(entitySchema).min(1).optional(),
    /** Keys of legal entities of the firm. */
    legalEntities: z.array(text).min(1).optional(),
    regions: z.array(text).min(1).optional(),
    severities: z.array(severitySchema).min(1).optional(),
    amountAtLeast: amountsSchema.optional(),
  }),
  ...outcomes,
});
export type CaseRule = z.infer<typeof ruleSchema>;

/** Actions on cases that may need a second person. */
export const gatedActions = ['retry', 'correct', 'complete', 'skip', 'cancel', 'waive'] as const;
export type GatedAction = (typeof gatedActions)[number];

const secondPersonSchema = z.strictObject({
  /** Cases about these are about money. */
  financialEntities: z.array(entitySchema),
  financialCodes: z.array(codeSchema),
  /** Amounts at risk from which on it takes two; a currency that is not named needs two at any amount. */
  thresholds: amountsSchema,
  /** Actions that need two whatever they are about. */
  always: z.array(z.enum(gatedActions)).default([]),
});

export const casePolicySchema = z
  .strictObject({
    /** What the firm calls this version. */
    version: text,
    calendars: z.record(text, calendarSchema),
    /** In order; of each thing to say, the first rule that fits and says it counts. */
    rules: z.array(ruleSchema),
    otherwise: z.strictObject({
      calendar: text,
      slaHours: z.strictObject({
        critical: z.number().positive(),
        error: z.number().positive(),
        warning: z.number().positive(),
      }),
      onBreach: onBreachSchema,
    }),
    secondPerson: secondPersonSchema,
  })
  .superRefine(({ calendars, rules, otherwise }, context) => {
    const requireCalendar = (calendar: string | undefined, path: (string | number)[]) => {
      if (calendar === undefined || Object.hasOwn(calendars, calendar)) return;
      context.addIssue({
        code: 'custom',
        path: [...path, 'calendar'],
        message: `there is no calendar "${calendar}"`,
      });
    };
    rules.forEach(({ calendar }, index) => {
      requireCalendar(calendar, ['rules', index]);
    });
    requireCalendar(otherwise.calendar, ['otherwise']);
  });
export type CasePolicy = z.infer<typeof casePolicySchema>;

const OFFICE_HOURS = ['09:00-17:00'];

/** What holds without a firm's own policy. Owners and severities are those of the codes (guides §13). */
export const defaultCasePolicy: CasePolicy = {
  version: 'default',
  calendars: {
    office: {
      timeZone: 'UTC',
      hours: {
        mon: OFFICE_HOURS,
        tue: OFFICE_HOURS,
        wed: OFFICE_HOURS,
        thu: OFFICE_HOURS,
        fri: OFFICE_HOURS,
      },
      holidays: [],
      fiscalCloses: [],
    },
  },
  rules: [
    {
      when: { codes: ['OUTCOME_UNKNOWN', 'COMPENSATION_FAILED'] },
      slaHours: 2,
      onBreach: { severity: 'critical', escalateTo: 'admin' },
    },
    { when: { codes: ['AUTH_EXPIRED'] }, slaHours: 2 },
    {
      when: { amountAtLeast: { EUR: '250000', USD: '250000', GBP: '250000', CHF: '250000' } },
      slaHours: 4,
      onBreach: { severity: 'critical' },
    },
  ],
  otherwise: {
    calendar: 'office',
    slaHours: { critical: 4, error: 8, warning: 24 },
    onBreach: { severity: 'critical' },
  },
  secondPerson: {
    financialEntities: [
      'billingScheduleLine',
      'billingEvent',
      'invoice',
      'creditNote',
      'payment',
      'paymentAllocation',
      'revenueSchedule',
      'revenueEvent',
    ],
    financialCodes: ['TAX_MISMATCH', 'CREDIT_HOLD', 'CAP_EXCEEDED', 'PERIOD_CLOSED'],
    thresholds: { EUR: '50000', USD: '50000', GBP: '50000', CHF: '50000' },
    always: [],
  },
};
