import { t } from './i18n';

/** Names of canonical fields for people. */

const names: Record<string, string> = t.field;

const inWords = (name: string): string => {
  const words = name.replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
};

/** `taxProfile.registrationNumber` → "Tax profile · Registration number"; entries of lists by their number from 1. */
export function fieldName(path: string): string {
  return path
    .split('.')
    .map((part) => (/^\d+$/.test(part) ? String(Number(part) + 1) : (names[part] ?? inWords(part))))
    .join(' · ');
}
