import { type Field, picklist } from './field';

/** Currencies switched on in the org. The first is the corporate one and the default of new records. */
export const CURRENCIES = ['EUR', 'USD', 'GBP', 'CHF', 'JPY'] as const;
export const CORPORATE_CURRENCY = CURRENCIES[0];

/** Present on every object that holds amounts, as the org uses several currencies. */
export const currencyCode = (): Field =>
  picklist('CurrencyIsoCode', 3, CURRENCIES, { restricted: true, defaultValue: CORPORATE_CURRENCY });

/** Set by the platform from the parent record. */
export const inheritedCurrencyCode = (): Field =>
  picklist('CurrencyIsoCode', 3, CURRENCIES, { restricted: true, readOnly: true });
