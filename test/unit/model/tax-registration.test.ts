import { isValidTaxRegistration, normaliseTaxRegistration } from '../../../lib/model';

test.each([
  ['DE', 'DE 136 695 976', '136695976'],
  ['DE', '136695976', '136695976'],
  ['AT', 'ATU13585627', 'U13585627'],
  ['AT', 'u13585627', 'U13585627'],
  ['FR', 'Fr 40 303 265 045', '40303265045'],
  ['GB', 'GB 980 7806 84', '980780684'],
  ['GR', 'EL 094259216', '094259216'],
  ['CH', 'CHE-107.787.577 MWST', 'CHE107787577'],
  ['CH', 'CHE107787577', 'CHE107787577'],
  ['US', '12-3456789', '123456789'],
  ['NL', 'NL4495445B01', '004495445B01'],
])('%s: %s is a valid %s', (country, number, normalised) => {
  expect(isValidTaxRegistration(number, country)).toBe('valid');
  expect(normaliseTaxRegistration(number, country)).toBe(normalised);
});

test.each([
  ['DE', 'DE136695977'],
  ['DE', ''],
  ['AT', 'ATU1358562'],
  ['GB', 'GB 980 7806 85'],
  ['US', '123'],
  ['FR', '🎉'],
])('%s: "%s" is not valid', (country, number) =>
  expect(isValidTaxRegistration(number, country)).toBe('invalid'),
);

test('countries without a rule are unknown, not wrong', () => {
  expect(isValidTaxRegistration('7-12 ab', 'KP')).toBe('unknown');
  expect(normaliseTaxRegistration('7-12 ab', 'KP')).toBe('712AB');
});

test('an invalid number keeps its letters, so that two wrong numbers do not become one', () => {
  expect(normaliseTaxRegistration('DE-1', 'DE')).toBe('DE1');
});
