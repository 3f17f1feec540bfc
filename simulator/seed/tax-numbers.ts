import { between, pick, type Random } from '../kit/random';

/** Countries the simulated firm sells to. */
export type SeedCountry = 'DE' | 'AT' | 'FR' | 'GB' | 'CH' | 'US';

/** A tax registration number whose check digits hold, written the way the country writes it. */
export function taxNumber(random: Random, country: SeedCountry): string {
  return GENERATORS[country](random);
}

const GENERATORS: Record<SeedCountry, (random: Random) => string> = {
  DE: germanVatId,
  AT: austrianVatId,
  FR: frenchVatId,
  GB: britishVatNumber,
  CH: swissUid,
  US: americanEin,
};

/** USt-IdNr: eight digits and a check digit by ISO 7064 MOD 11,10. */
function germanVatId(random: Random): string {
  const body = digits(random, 8);
  let product = 10;
  for (const digit of body) {
    const sum = (digit + product) % 10 || 10;
    product = (2 * sum) % 11;
  }
  return `DE${body.join('')}${(11 - product) % 10}`;
}

/** UID: every second digit is doubled and its digits added, as in Luhn, with 4 on top. */
function austrianVatId(random: Random): string {
  const body = digits(random, 7);
  const sum = body.reduce((total, digit, i) => total + (i % 2 === 0 ? digit : digitSumOfDouble(digit)), 4);
  return `ATU${body.join('')}${(10 - (sum % 10)) % 10}`;
}

/** Numéro de TVA: key of two digits over the SIREN, which ends in a Luhn digit itself. */
function frenchVatId(random: Random): string {
  const body = digits(random, 8);
  const luhn = body.reduce((total, digit, i) => total + (i % 2 === 0 ? digit : digitSumOfDouble(digit)), 0);
  const siren = `${body.join('')}${(10 - (luhn % 10)) % 10}`;
  const key = (12 + 3 * (Number(siren) % 97)) % 97;
  return `FR${String(key).padStart(2, '0')}${siren}`;
}

/** Seven digits weighted 8 to 2 plus two check digits make a multiple of 97. */
function britishVatNumber(random: Random): string {
  const body = digits(random, 7);
  const sum = body.reduce((total, digit, i) => total + digit * (8 - i), 0);
  return `GB${body.join('')}${String(97 - (sum % 97)).padStart(2, '0')}`;
}

/** UID: weights 5 4 3 2 7 6 5 4, modulo 11; numbers whose check digit would be 10 are not given out. */
function swissUid(random: Random): string {
  const weights = [5, 4, 3, 2, 7, 6, 5, 4];
  for (;;) {
    const body = digits(random, 8);
    const sum = body.reduce((total, digit, i) => total + digit * (weights[i] ?? 0), 0);
    const check = (11 - (sum % 11)) % 11;
    if (check === 10) continue;
    const text = `${body.join('')}${check}`;
    return `CHE-${text.slice(0, 3)}.${text.slice(3, 6)}.${text.slice(6)}`;
  }
}

/** An EIN has no check digit; its first two digits must be a prefix the IRS assigns. */
function americanEin(random: Random): string {
  const prefix = pick(random, ['04', '13', '20', '26', '36', '46', '58', '75', '83', '94']);
  return `${prefix}-${digits(random, 7).join('')}`;
}

/** The first one is not 0. */
function digits(random: Random, length: number): number[] {
  return Array.from({ length }, (_, i) => between(random, i === 0 ? 1 : 0, 9));
}

function digitSumOfDouble(digit: number): number {
  return digit < 5 ? digit * 2 : digit * 2 - 9;
}
