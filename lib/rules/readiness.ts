import {
  brokenSums,
  type CanonicalId,
  type Contract,
  type Customer,
  type DealDocument,
  type Draft,
  type EntityName,
  type ExceptionCode,
  entitySchemas,
  isCountry,
  isCurrency,
  isDecimal,
  isPaymentTerms,
  type Money,
  nameOfLine,
  type Opportunity,
  Q2cError,
  type Quote,
} from '../model';
import { type Firm, type FirmLegalEntity, sellingEntity } from './firm';
import {
  completeDeal,
  type DealRecords,
  type NaturalKeyClaim,
  naturalKeyClaims,
  type ReadyDeal,
} from './ready-deal';
import { amountProblem, missingOfAddress } from './values';

/**
 * Readiness of a won deal (issue of the business, not of code): everything the ERP and the PSA will need is
 * there, known and consistent. Pure: the same deal and set-up give the same answer.
 */

/** One reason for which a deal waits. */
export interface Issue {
  code: ExceptionCode;
  entity: EntityName;
  /** Canonical id of the record that is wrong. */
  subject: CanonicalId;
  /** Values for the message pattern of the code. */
  params: Record<string, string>;
  /** Fields of the subject that would cure it, with dots; absent where no field of it does. */
  fields?: string[];
}

/** A deal that may be provisioned, the natural keys that it claims, and the legal entity that sells it. */
interface Passed {
  deal: ReadyDeal;
  claims: NaturalKeyClaim[];
  legalEntity: FirmLegalEntity;
}

export type Readiness = ({ ready: true } & Passed) | { ready: false; issues: Issue[] };

const STEP = 'the project can start';

/** Checks a deal as it was read from the CRM. All issues are found at once, not only the first. */
export function checkReadiness(deal: DealDocument, firm: Firm): Readiness {
  const check = new Check(deal, firm);
  const candidate = check.run();
  if (candidate === null || check.issues.length > 0) return { ready: false, issues: check.issues };
  return { ready: true, ...candidate };
}

class Check {
  readonly issues: Issue[] = [];
  private readonly name: string;

  constructor(
    private readonly deal: DealDocument,
    private readonly firm: Firm,
  ) {
    this.name = deal.opportunity?.name ?? 'the deal';
  }

  run(): Passed | null {
    const { opportunity, customer, quote, contract } = this.deal;
    if (opportunity === undefined) {
      throw new Q2cError(
        'DEAL_DOCUMENT_INVALID',
        'The message carries no opportunity to check: wire the node behind one that reads a deal.',
      );
    }
    this.checkOpportunity(opportunity);
    if (customer === undefined) this.missing('opportunity', opportunity.id, `The account of ${this.name}`);
    else this.checkCustomer(customer);
    this.checkContacts();
    if (quote === undefined || (quote.lines ?? []).length === 0) {
      this.missing('opportunity', opportunity.id, `At least one product line of ${this.name}`);
    } else this.checkLines(opportunity, quote);
    if (contract === undefined) {
      if (this.firm.acceptance.contractRequired)
        this.missing('opportunity', opportunity.id, `The contract of ${this.name}`);
    } else this.checkContract(opportunity, contract);
    this.checkSums();

    const legalEntity = this.chooseLegalEntity(opportunity, customer);
    if (
      this.issues.length > 0 ||
      customer === undefined ||
      quote === undefined ||
      legalEntity === undefined
    ) {
      return null;
    }
    return this.complete({ opportunity, customer, quote, contract }, legalEntity);
  }

  // ---------------------------------------------------------------- the records

  private checkOpportunity(opportunity: Draft<Opportunity>): void {
    const { id } = opportunity;
    if (!opportunity.name) this.missing('opportunity', id, 'The name of the opportunity', ['name']);
    if (!opportunity.serviceLine) {
      this.missing('opportunity', id, `The service line of ${this.name}`, ['serviceLine']);
    } else if (this.firm.serviceLines[opportunity.serviceLine] === undefined) {
      this.invalid(
        'opportunity',
        id,
        'Service line',
        `"${opportunity.serviceLine}" is not one of the firm's service lines`,
        ['serviceLine'],
      );
    }
    this.checkAmount('opportunity', id, 'The amount', opportunity.amount, {
      amount: 'amount.amount',
      currency: 'amount.currency',
    });
  }

  private checkCustomer(customer: Draft<Customer>): void {
    const { id } = customer;
    const name = customer.legalName ?? this.name;
    if (!customer.legalName) this.missing('customer', id, 'The name of the account', ['legalName']);
    if (!customer.country) this.missing('customer', id, `The country of ${name}`, ['country']);
    else if (!isCountry(customer.country)) {
      this.invalid(
        'customer',
        id,
        'The country',
        `"${customer.country}" is not a country`,
        ['country'],
        name,
      );
    } else this.checkTaxRegistration(customer, customer.country);
    const address = missingOfAddress(customer.billingAddress);
    if (address.length > 0) {
      const field = `The complete billing address (street, city, postal code) of ${name}`;
      this.missing('customer', id, field, address);
    }
    if (!customer.paymentTerms)
      this.missing('customer', id, `The payment terms of ${name}`, ['paymentTerms']);
    else if (!isPaymentTerms(customer.paymentTerms)) {
      this.invalid(
        'customer',
        id,
        'The choice of payment terms',
        `"${customer.paymentTerms}" are not payment terms`,
        ['paymentTerms'],
        name,
      );
    }
    if (customer.creditStatus === 'hold') this.add('CREDIT_HOLD', 'customer', id, { customer: name });
  }

  private checkTaxRegistration(customer: Draft<Customer>, country: string): void {
    const required = this.firm.acceptance.taxRegistrationCountries;
    if (!required.includes('*') && !required.includes(country)) return;
    const profile = customer.taxProfile;
    if (profile?.status === 'not_registered' || profile?.status === 'exempt') return;
    if (!profile?.registrationNumber) {
      this.add(
        'TAX_REGISTRATION_MISSING',
        'customer',
        customer.id,
        { customer: customer.legalName ?? this.name, country },
        ['taxProfile.registrationNumber', 'taxProfile.status'],
      );
    }
  }

  private checkContacts(): void {
    const seen = new Map<string, string>();
    for (const contact of this.deal.contacts ?? []) {
      if (!contact.name)
        this.missing('contact', contact.id, `The name of a contact of ${this.name}`, ['name']);
      const email = contact.email?.toLowerCase();
      if (email === undefined) continue;
      const other = seen.get(email);
      if (other !== undefined) {
        this.add(
          'DUPLICATE_SUSPECTED',
          'contact',
          contact.id,
          { customer: contact.name ?? email, candidate: other, score: 'same e-mail address' },
          ['email'],
        );
      }
      seen.set(email, contact.name ?? email);
    }
  }

  private checkLines(opportunity: Draft<Opportunity>, quote: Draft<Quote>): void {
    const currency = quote.total?.currency ?? opportunity.amount?.currency;
    for (const [index, line] of (quote.lines ?? []).entries()) {
      const what = nameOfLine(line, index);
      const at = `lines.${index}`;
      if (!line.commercialModel) {
        this.missing('quote', quote.id, `The commercial model of ${what}`, [`${at}.commercialModel`]);
      }
      const value = { amount: line.amount, currency: currency ?? '' };
      const fields = { amount: `${at}.amount`, currency: 'total.currency' };
      this.checkAmount('quote', quote.id, `The amount of ${what}`, value, fields);
      for (const [place, { amount }] of isDecimal(line.amount) ? (line.schedule ?? []).entries() : []) {
        if (isDecimal(amount)) continue;
        this.add(
          'AMOUNT_INVALID',
          'quote',
          quote.id,
          { field: 'An amount of the schedule', document: what, reason: 'it is not a decimal number' },
          [`${at}.schedule.${place}.amount`],
        );
      }
    }
  }

  private checkContract(opportunity: Draft<Opportunity>, contract: Draft<Contract>): void {
    const { id } = contract;
    const document = `contract ${contract.number ?? ''}`.trim();
    if (!contract.number) {
      this.missing('contract', id, `The number of the contract of ${this.name}`, ['number']);
    }
    const period = ['effective.from', 'effective.to'];
    if (!contract.effective?.from || !contract.effective.to) {
      this.missing('contract', id, `The start and the term of the contract of ${this.name}`, period);
    } else if (contract.effective.to < contract.effective.from) {
      this.invalid('contract', id, 'The period', 'it ends before it begins', period, document);
    }
    const currency = contract.currency ?? contract.totalValue?.currency;
    const dealCurrency = opportunity.amount?.currency;
    const currencies = ['currency', 'totalValue.currency'];
    if (currency !== undefined && !this.checkCurrency('contract', id, currency, document, currencies)) return;
    if (currency !== undefined && isCurrency(dealCurrency) && currency !== dealCurrency) {
      const params = { document: this.name, a: dealCurrency, other: document, b: currency };
      this.add('CURRENCY_MISMATCH', 'contract', id, params, currencies);
      return;
    }
    if (contract.totalValue === undefined) return;
    this.checkAmount('contract', id, 'The contract value', contract.totalValue, {
      amount: 'totalValue.amount',
      currency: 'totalValue.currency',
    });
  }

  /** Sums of amounts that are wrong themselves would only repeat the complaint; a schedule is wrong by itself. */
  private checkSums(): void {
    const hasBadAmount = this.issues.some(({ code }) => code === 'AMOUNT_INVALID');
    for (const broken of brokenSums(this.deal)) {
      if (hasBadAmount && broken.parts !== 'The schedule') continue;
      const { entity, subject, parts, document, fields } = broken;
      const unit = broken.currency === undefined ? '' : ` ${broken.currency}`;
      const params = { parts, document, sum: `${broken.sum}${unit}`, total: `${broken.total}${unit}` };
      this.add('SUM_MISMATCH', entity, subject, params, fields);
    }
  }

  private chooseLegalEntity(
    opportunity: Draft<Opportunity>,
    customer: Draft<Customer> | undefined,
  ): FirmLegalEntity | undefined {
    const { region, serviceLine } = opportunity;
    const chosen = sellingEntity(this.firm, { region, serviceLine, country: customer?.country });
    if (chosen === undefined) {
      const params = {
        region: region ?? 'no region',
        serviceLine: serviceLine ?? 'no service line',
      };
      this.add('LEGAL_ENTITY_UNMAPPED', 'opportunity', opportunity.id, params, ['region', 'serviceLine']);
      return undefined;
    }
    const currency = opportunity.amount?.currency;
    const sells = [chosen.functionalCurrency, ...chosen.sellingCurrencies];
    if (currency !== undefined && isCurrency(currency) && !sells.includes(currency)) {
      this.invalid(
        'opportunity',
        opportunity.id,
        'Currency',
        `${chosen.name} does not sell in ${currency}, only in ${[...new Set(sells)].join(', ')}`,
        ['amount.currency'],
      );
    }
    return chosen;
  }

  // ---------------------------------------------------------------- values

  /** A document amount: a currency that exists, not negative, at most 15 digits, no more decimals than the currency has. */
  private checkAmount(
    entity: EntityName,
    id: CanonicalId,
    field: string,
    value: Money | undefined,
    fields: Record<keyof Money, string>,
  ): void {
    if (value?.amount === undefined || value.amount === '') {
      this.missing(entity, id, `${field} of ${this.name}`, [fields.amount]);
      return;
    }
    const { amount, currency } = value;
    if (!currency) {
      this.missing(entity, id, `The currency of ${this.name}`, [fields.currency]);
      return;
    }
    if (!this.checkCurrency(entity, id, currency, this.name, [fields.currency])) return;
    const reason = amountProblem(amount, currency);
    if (reason === null) return;
    this.add('AMOUNT_INVALID', entity, id, { field, document: this.name, reason }, [fields.amount]);
  }

  /** Says once that a currency does not exist: amount, lines and contract of a deal usually share it. */
  private checkCurrency(
    entity: EntityName,
    id: CanonicalId,
    currency: string,
    document: string,
    fields: string[],
  ): boolean {
    if (isCurrency(currency)) return true;
    const known = this.issues.some(
      ({ code, params }) => code === 'CURRENCY_INVALID' && params.currency === currency,
    );
    if (!known) this.add('CURRENCY_INVALID', entity, id, { currency, document }, fields);
    return false;
  }

  // ---------------------------------------------------------------- the complete deal

  private complete(records: DealRecords, legalEntity: FirmLegalEntity): Passed | null {
    const candidate = completeDeal(this.deal, records, legalEntity);
    for (const part of ['opportunity', 'customer', 'quote', 'contract'] as const)
      this.conform(part, candidate[part]);
    for (const contact of candidate.contacts) this.conform('contact', contact);
    if (this.issues.length > 0) return null;
    const deal = candidate as ReadyDeal;
    return { deal, claims: naturalKeyClaims(deal), legalEntity };
  }

  /** What no rule above has a sentence for, but the canonical model refuses, is still an issue that names the field. */
  private conform(entity: EntityName, value: { id: CanonicalId }): void {
    const parsed = entitySchemas[entity].safeParse(value);
    if (parsed.success) return;
    for (const issue of parsed.error.issues.slice(0, 5)) {
      const path = issue.path.join('.');
      this.invalid(entity, value.id, `${entity}.${path}`, issue.message, [path]);
    }
  }

  // ---------------------------------------------------------------- issues

  /** @param fields where what is missing has a place in the subject; none = it is a record of its own */
  private missing(entity: EntityName, subject: CanonicalId, field: string, fields?: string[]): void {
    this.add('MANDATORY_FIELD_MISSING', entity, subject, { field, step: STEP }, fields);
  }

  private invalid(
    entity: EntityName,
    subject: CanonicalId,
    field: string,
    reason: string,
    fields: string[],
    document = this.name,
  ): void {
    this.add('VALUE_INVALID', entity, subject, { field, document, reason }, fields);
  }

  private add(
    code: ExceptionCode,
    entity: EntityName,
    subject: CanonicalId,
    params: Record<string, string>,
    fields?: string[],
  ): void {
    this.issues.push({ code, entity, subject, params, ...(fields && { fields }) });
  }
}
