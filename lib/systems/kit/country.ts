import { isCountry } from '../../model';

/** What people write besides the English name that Unicode CLDR lists. Keys as `normalise` makes them. */
const OTHER_NAMES: Record<string, string> = {
  usa: 'US',
  'united states of america': 'US',
  uk: 'GB',
  'great britain': 'GB',
  england: 'GB',
  scotland: 'GB',
  wales: 'GB',
  'czech republic': 'CZ',
  holland: 'NL',
  'republic of ireland': 'IE',
};

/** Languages an org is likely to be run in; a name is looked up in all of them. */
const LANGUAGES = ['en', 'de', 'fr', 'es', 'it', 'nl', 'pt'] as const;

let codeOfName: Map<string, string> | undefined;

/**
 * ISO 3166-1 alpha-2 code of a country given as code or name (`DE`, `Germany`, `Deutschland`).
 * Undefined when it is neither: an unknown country is never guessed.
 */
export function countryCodeOf(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined;
  const code = value.trim().toUpperCase();
  if (isCountry(code)) return code;
  codeOfName ??= namesOfAllCountries();
  const name = normalise(value);
  return OTHER_NAMES[name] ?? codeOfName.get(name);
}

/** English name of a country code, `Germany` for `DE`; any other text stays as it is. */
export function countryNameOf(code: string): string {
  return isCountry(code) ? (new Intl.DisplayNames('en', { type: 'region' }).of(code) ?? code) : code;
}

/** Intl knows names by code, not codes by name: the reverse map is built once. */
function namesOfAllCountries(): Map<string, string> {
  const displays = LANGUAGES.map((language) => new Intl.DisplayNames(language, { type: 'region' }));
  const codes = [...pairsOfLetters()].filter(isCountry);
  return new Map(
    codes.flatMap((code) => displays.map((display) => [normalise(display.of(code) ?? code), code])),
  );
}

function* pairsOfLetters(): Generator<string> {
  const letters = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ'];
  for (const first of letters) for (const second of letters) yield first + second;
}

function normalise(name: string): string {
  return name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/^the\s+/, '')
    .replace(/[^\p{L}]+/gu, ' ')
    .trim();
}
