import { CURRENCIES } from './currencies';
import { checkbox, field, int, number, percent, picklist, type SObject, sobject, text } from './field';

const READ_ONLY = { writable: false };
const given = { required: true, readOnly: true } as const;

export const user: SObject = sobject(
  'User',
  '005',
  [
    text('Username', 80, { ...given, idLookup: true }),
    text('LastName', 80, given),
    text('FirstName', 40, { readOnly: true }),
    text('Name', 121, { ...given, nameField: true, calculated: true }),
    field('Email', 'email', { length: 128, ...given, idLookup: true }),
    checkbox('IsActive', { readOnly: true }),
    picklist('TimeZoneSidKey', 40, ['Europe/Berlin', 'America/New_York'], given),
    picklist('UserType', 40, ['Standard'], { readOnly: true }),
    picklist('DefaultCurrencyIsoCode', 3, CURRENCIES, { readOnly: true }),
  ],
  READ_ONLY,
);

export const organization: SObject = sobject(
  'Organization',
  '00D',
  [
    text('Name', 80, { ...given, nameField: true }),
    text('Country', 80, { readOnly: true }),
    text('InstanceName', 5, { readOnly: true }),
    checkbox('IsSandbox', { readOnly: true }),
    picklist('OrganizationType', 40, ['Enterprise Edition'], { readOnly: true }),
    int('FiscalYearStartMonth', { readOnly: true }),
  ],
  { ...READ_ONLY },
);

export const opportunityStage: SObject = sobject(
  'OpportunityStage',
  '01J',
  [
    text('MasterLabel', 255, { readOnly: true, nameField: true }),
    text('ApiName', 255, { readOnly: true }),
    checkbox('IsActive', { readOnly: true }),
    int('SortOrder', { readOnly: true }),
    checkbox('IsClosed', { readOnly: true }),
    checkbox('IsWon', { readOnly: true }),
    picklist(
      'ForecastCategory',
      40,
      ['Omitted', 'Pipeline', 'BestCase', 'MostLikely', 'Forecast', 'Closed'],
      given,
    ),
    picklist('ForecastCategoryName', 255, ['Omitted', 'Pipeline', 'Best Case', 'Commit', 'Closed'], {
      readOnly: true,
    }),
    percent('DefaultProbability', 3, 0, { readOnly: true }),
  ],
  READ_ONLY,
);

export const currencyType: SObject = sobject(
  'CurrencyType',
  '01L',
  [
    picklist('IsoCode', 3, CURRENCIES, { ...given, nameField: true }),
    number('ConversionRate', 18, 6, given),
    int('DecimalPlaces', given),
    checkbox('IsActive', { readOnly: true }),
    checkbox('IsCorporate', { readOnly: true }),
  ],
  READ_ONLY,
);
