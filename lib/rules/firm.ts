import * as z from 'zod';
import {
  type CommercialModel,
  commercialModels,
  idSchema,
  isDecimal,
  type LegalEntity,
  legalEntitySchema,
  Q2cError,
  taxCategories,
} from '../model';
import { casePolicySchema } from './case-policy';

/**
 * The firm's own set-up in one place: its legal entities, the rules that choose one, how its projects are
 * planned, and the lookup tables that turn canonical values into each system's own ids.
 * It is data the firm owns: versioned, validated as a whole, never half applied.
 */

const text = z.string().trim().min(1);
const percent = z.string().refine((value) => isDecimal(value) && Number(value) > 0 && Number(value) <= 100, {
  error: 'must be a percentage greater than 0 and at most 100',
});

const firmLegalEntitySchema = legalEntitySchema
  .pick({
    name: true,
    country: true,
    functionalCurrency: true,
    taxRegistrations: true,
    timeZone: true,
    fiscalCalendar: true,
    invoiceNumberSeries: true,
    intercompanyPartners: true,
  })
  .extend({
    id: idSchema('legalEntity'),
    /** Short name used in rules and lookup tables instead of the id. */
    key: text,
    /** Currencies it sells in; its functional currency always. */
    sellingCurrencies: z.array(z.string()).default([]),
  });

/** The first rule that fits chooses the legal entity; an absent condition fits everything. */
const sellingRuleSchema = z.strictObject({
  region: text.optional(),
  serviceLine: text.optional(),
  country: text.optional(),
  legalEntity: text,
});

const taskTemplateSchema = z.strictObject({
  code: text,
  name: text,
  billable: z.boolean().default(true),
  /** Share of the line's hours, where the line is sold in hours. */
  hoursPercent: percent.optional(),
});

const instalmentSchema = z.strictObject({
  description: text,
  at: z.enum(['start', 'end']),
  percent,
});

const tasksByModelSchema = z.partialRecord(z.enum(commercialModels), z.array(taskTemplateSchema).min(1));

const serviceLineSchema = z.strictObject({
  name: text,
  /** Tasks of a line by its commercial model, where they differ from the firm's. */
  tasks: tasksByModelSchema.optional(),
});

const lookupTableSchema = z.record(z.string(), z.string().min(1));

export const firmSchema = z
  .strictObject({
    legalEntities: z.array(firmLegalEntitySchema).min(1),
    sellingRules: z.array(sellingRuleSchema).min(1),
    serviceLines: z.record(text, serviceLineSchema),
    acceptance: z.strictObject({
      /** A won deal waits until its contract is there. */
      contractRequired: z.boolean(),
      /** Countries whose customers must have a tax registration; `*` = all. */
      taxRegistrationCountries: z.array(text),
    }),
    planning: z.strictObject({
      /** Tasks of a contract line by its commercial model. */
      tasks: z.record(z.enum(commercialModels), z.array(taskTemplateSchema).min(1)),
      /** Instalments of a fixed fee whose quote has no dates of its own; percentages sum to 100. */
      fixedFeeInstalments: z.array(instalmentSchema).min(1),
      defaultTaxCategory: z.enum(taxCategories),
    }),
    /** System → table → canonical value → the system's own id. Legal entities may be given by key or id. */
    lookups: z.record(z.string(), z.record(z.string(), lookupTableSchema)),
    /** Who answers for cases and until when; absent = the policy that is shipped. */
    casePolicy: casePolicySchema.optional(),
  })
  .superRefine((firm, context) => {
    const keys = new Set(firm.legalEntities.map(({ key }) => key));
    if (keys.size < firm.legalEntities.length) {
      context.addIssue({
        code: 'custom',
        path: ['legalEntities'],
        message: 'two legal entities have the same key',
      });
    }
    firm.sellingRules.forEach((rule, index) => {
      const path = ['sellingRules', index];
      if (!keys.has(rule.legalEntity)) {
        context.addIssue({
          code: 'custom',
          path: [...path, 'legalEntity'],
          message: `there is no legal entity "${rule.legalEntity}"`,
        });
      }
      if (rule.serviceLine !== undefined && firm.serviceLines[rule.serviceLine] === undefined) {
        context.addIssue({
          code: 'custom',
          path: [...path, 'serviceLine'],
          message: `there is no service line "${rule.serviceLine}"`,
        });
      }
    });
    firm.casePolicy?.rules.forEach(({ when }, index) => {
      for (const key of when.legalEntities ?? []) {
        if (keys.has(key)) continue;
        context.addIssue({
          code: 'custom',
          path: ['casePolicy', 'rules', index, 'when', 'legalEntities'],
          message: `there is no legal entity "${key}"`,
        });
      }
    });
    const total = firm.planning.fixedFeeInstalments.reduce(
      (sum, { percent: share }) => sum + Number(share),
      0,
    );
    if (Math.abs(total - 100) > 1e-9) {
      context.addIssue({
        code: 'custom',
        path: ['planning', 'fixedFeeInstalments'],
        message: `percentages sum to ${total}, not to 100`,
      });
    }
  });

export type Firm = z.infer<typeof firmSchema>;
export type FirmLegalEntity = Firm['legalEntities'][number] & Pick<LegalEntity, 'id'>;
export type TaskTemplate = z.infer<typeof taskTemplateSchema>;

/**
 * Reads the firm's set-up from its JSON text.
 * @throws Q2cError `FIRM_INVALID` naming every place that is wrong.
 */
export function parseFirm(json: string): Firm {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    throw new Q2cError('FIRM_INVALID', `The firm's set-up is not JSON: ${(cause as Error).message}`, {
      cause,
    });
  }
  const parsed = firmSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const places = parsed.error.issues.map(
    (issue) => `${issue.path.join('.') || 'the whole'}: ${issue.message}`,
  );
  throw new Q2cError('FIRM_INVALID', `The firm's set-up is not valid. ${places.join('; ')}.`);
}

/** The legal entity that sells a deal, or undefined when no rule fits. */
export function sellingEntity(
  firm: Firm,
  deal: { region?: string; serviceLine?: string; country?: string },
): FirmLegalEntity | undefined {
  const rule = firm.sellingRules.find(
    (candidate) =>
      fits(candidate.region, deal.region) &&
      fits(candidate.serviceLine, deal.serviceLine) &&
      fits(candidate.country, deal.country),
  );
  return rule === undefined ? undefined : firm.legalEntities.find(({ key }) => key === rule.legalEntity);
}

function fits(condition: string | undefined, value: string | undefined): boolean {
  return condition === undefined || condition === value;
}

/** The firm's value for a system's lookup table; legal-entity ids in the key may stand as their short keys. */
export function lookup(firm: Firm, system: string, table: string, key: string): string | undefined {
  const values = firm.lookups[system]?.[table];
  return values?.[key] ?? values?.[withLegalEntityKeys(firm, key)];
}

function withLegalEntityKeys(firm: Firm, key: string): string {
  return firm.legalEntities.reduce((text, { id, key: short }) => text.replace(id, short), key);
}

/** Task templates of a line: the service line's own, else the firm's. */
export function taskTemplates(firm: Firm, serviceLine: string, model: CommercialModel): TaskTemplate[] {
  return firm.serviceLines[serviceLine]?.tasks?.[model] ?? firm.planning.tasks[model];
}
