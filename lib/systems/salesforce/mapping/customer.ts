import type { Address, CanonicalId, Customer, Draft, JsonObject, TaxProfile } from '../../../model';
import { countryCodeOf, countryNameOf, defined, definedOrNone, textOf, wordOf } from '../../kit';
import type { Home } from '../client';
import type { AccountRow } from '../records';
import { masterRef, originOf, partOf } from './values';

const TAX_STATUSES = ['registered', 'not_registered', 'exempt'] as const;

/** Account → customer. A country that nobody knows is passed on as it is written, so that it can be reported. */
export function customerOf(row: AccountRow, id: CanonicalId, home: Home): Draft<Customer> {
  const country = countryCodeOf(row.BillingCountry) ?? textOf(row.BillingCountry);
  return {
    id,
    externalRefs: [masterRef(home, 'Account', row)],
    ...partOf<Partial<Customer>>({
      ...originOf(row),
      legalName: textOf(row.Name),
      number: textOf(row.Q2C_Customer_Number__c),
      billingAddress: addressOf(row, country),
      country,
      taxProfile: partOf<TaxProfile>({
        registrationNumber: textOf(row.Q2C_Tax_Registration__c),
        status: wordOf(row.Q2C_Tax_Status__c, TAX_STATUSES) ?? 'unknown',
      }),
      defaultCurrency: textOf(row.CurrencyIsoCode),
      paymentTerms: textOf(row.Q2C_Payment_Terms__c),
      website: textOf(row.Website),
    }),
  };
}

function addressOf(row: AccountRow, country: string | undefined): Address | undefined {
  const lines = (row.BillingStreet ?? '').split(/\r?\n/).map((line) => line.trim());
  const written = lines.filter((line) => line !== '');
  const address = definedOrNone({
    lines: written.length > 0 ? written : undefined,
    city: textOf(row.BillingCity),
    region: textOf(row.BillingState),
    postalCode: textOf(row.BillingPostalCode),
    country,
  });
  return address && partOf<Address>(address);
}

/** Customer → fields of an account. What the customer lacks is not sent, so that nothing is emptied. */
export function accountFieldsOf(
  customer: Draft<Customer>,
  settings: Readonly<Record<string, string>>,
): JsonObject {
  const { billingAddress: address, taxProfile } = customer;
  const country = customer.country ?? address?.country;
  return defined({
    Name: customer.legalName,
    BillingStreet: address?.lines?.join('\n'),
    BillingCity: address?.city,
    BillingState: address?.region,
    BillingPostalCode: address?.postalCode,
    BillingCountry: country && settings.countryFormat !== 'code' ? countryNameOf(country) : country,
    Website: customer.website,
    CurrencyIsoCode: customer.defaultCurrency,
    Q2C_Tax_Registration__c: taxProfile?.registrationNumber,
    Q2C_Tax_Status__c: taxProfile?.status === 'unknown' ? undefined : taxProfile?.status,
    Q2C_Payment_Terms__c: customer.paymentTerms,
    Q2C_Customer_Number__c: customer.number,
  });
}
