import { type Catalogue, en } from './en';

export type Language = 'en' | 'de';

const STORED_AT = 'q2c-language';
export const languages: Readonly<Record<Language, string>> = { en: 'English', de: 'Deutsch' };

const isLanguage = (value: string | null): value is Language => value !== null && value in languages;

/** What the viewer has chosen, else the first language of the browser that there is, else English. */
function preferred(): Language {
  const chosen = localStorage.getItem(STORED_AT);
  if (isLanguage(chosen)) return chosen;
  return navigator.languages.map((tag) => tag.slice(0, 2)).find(isLanguage) ?? 'en';
}

export const language: Language = preferred();

/** Regional form of the language, for dates and numbers: that of the browser where it is the same language. */
export const locale = navigator.languages.find((tag) => tag.startsWith(language)) ?? language;

/** All texts, in the viewer's language. */
export const t: Catalogue = language === 'de' ? (await import('./de')).de : en;

/** Keeps the choice and begins anew: texts are not watched for changes. */
export function chooseLanguage(chosen: Language): void {
  localStorage.setItem(STORED_AT, chosen);
  location.reload();
}
