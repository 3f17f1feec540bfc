import type { Country } from './primitives';

/** Loaded at first use: evaluating the rules of all countries takes as long as the rest of the model together. */
const validators = () => (require('./tax-validators') as typeof import('./tax-validators')).validators;

/** Words that some countries write behind the number of a company that is registered for VAT. */
const vatSuffix: Readonly<Record<Country, RegExp>> = { CH: /(MWST|TVA|IVA|TPV|VAT)$/, NO: /MVA$/ };

const compact = (number: string, country: Country): string => {
  const text = number
    .normalize('NFKC')
    .toUpperCase()
    .replace(/[^\p{L}\p{N}]/gu, '');
  const suffix = vatSuffix[country];
  return suffix === undefined ? text : text.replace(suffix, '');
};

/**
 * A tax registration in the spelling that comparisons use: without separators, and without the country's prefix
 * where the number is a valid one. It is a key; documents show the number as it was given.
 */
export function normaliseTaxRegistration(number: string, country: Country): string {
  const text = compact(number, country);
  for (const validator of validators()[country] ?? []) {
    const result = validator.validate(text);
    if (result.isValid) return result.compact;
  }
  return text;
}

/** Whether length and check digits of a tax registration are right; `unknown` for countries without a rule here. */
export function isValidTaxRegistration(number: string, country: Country): 'valid' | 'invalid' | 'unknown' {
  const candidates = validators()[country];
  if (candidates === undefined) return 'unknown';
  const text = compact(number, country);
  return candidates.some((validator) => validator.validate(text).isValid) ? 'valid' : 'invalid';
}
