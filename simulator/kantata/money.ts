/** Currencies the account supports, with the symbol the vendor prints and the subunits of one unit. */
const CURRENCIES: Record<string, { symbol: string; baseUnit: number }> = {
  EUR: { symbol: '€', baseUnit: 100 },
  USD: { symbol: '$', baseUnit: 100 },
  GBP: { symbol: '£', baseUnit: 100 },
  CHF: { symbol: 'CHF', baseUnit: 100 },
  CAD: { symbol: '$', baseUnit: 100 },
  AUD: { symbol: '$', baseUnit: 100 },
  SEK: { symbol: 'kr', baseUnit: 100 },
  DKK: { symbol: 'kr', baseUnit: 100 },
  NOK: { symbol: 'kr', baseUnit: 100 },
  PLN: { symbol: 'zł', baseUnit: 100 },
  JPY: { symbol: '¥', baseUnit: 1 },
};

export const SUPPORTED_CURRENCIES = Object.keys(CURRENCIES);

export const baseUnit = (currency: unknown): number => CURRENCIES[String(currency)]?.baseUnit ?? 100;

/** What every object with an amount shows about its currency. */
export const currencyAttributes = (currency: unknown) => ({
  currency,
  currency_symbol: CURRENCIES[String(currency)]?.symbol ?? String(currency),
  currency_base_unit: baseUnit(currency),
});

/** An amount of subunits as the vendor prints it, for example `€1,234.50`; whole amounts without decimals. */
export function formatCents(cents: number, currency: unknown): string {
  const { currency_symbol: symbol, currency_base_unit: unit } = currencyAttributes(currency);
  const decimals = cents % unit === 0 ? 0 : Math.log10(unit);
  const amount = (Math.abs(cents) / unit).toFixed(decimals);
  const grouped = amount.replace(/^\d+/, (whole) => whole.replace(/\B(?=(\d{3})+$)/g, ','));
  return `${cents < 0 ? '-' : ''}${symbol}${grouped}`;
}

/** Price of minutes at an hourly rate, in subunits. */
export const timeCents = (minutes: number, rate: number): number => Math.round((minutes * rate) / 60);
