import { hash } from 'node:crypto';
import { exceptionCodes } from '../model';
import type { NewCase } from './types';

/**
 * What cases of many deals have in common: the code, the system, and what went wrong without what it went wrong with.
 * Only a digest is kept, because reasons may name people.
 */

/** Values of message patterns that name the record, not the reason. */
const OF_THE_RECORD = new Set([
  ...['amount', 'candidate', 'customer', 'date', 'document', 'gross', 'line', 'name', 'net', 'number'],
  ...['operation', 'parts', 'score', 'step', 'sum', 'total'],
]);

/** Equal for cases of the same cause. */
export function causeOf({ code, message, about }: NewCase): string {
  const { params, facts } = about;
  const said = message === undefined ? patternOf(code, params) : withoutRecord(message, params);
  return hash('sha256', [code, facts?.system ?? params.system ?? '', said].join('|')).slice(0, 16);
}

function patternOf(code: NewCase['code'], params: Readonly<Record<string, string>>): string {
  return exceptionCodes[code].pattern.replace(/\{(\w+)\}/g, (placeholder, name: string) => {
    const value = params[name];
    return value === undefined || OF_THE_RECORD.has(name) ? placeholder : withoutRecord(value, params);
  });
}

/** Names, ids, numbers, quoted words and addresses differ from deal to deal. */
function withoutRecord(text: string, params: Readonly<Record<string, string>>): string {
  const names = [...OF_THE_RECORD].flatMap((name) => params[name] ?? []).filter((value) => value.length > 2);
  const bare = names
    .sort((a, b) => b.length - a.length)
    .reduce((left, name) => left.replaceAll(name, '…'), text);
  return bare
    .replace(/(["“«'])[^"“”«»']*(["”»'])/g, '…')
    .replace(/\S+@\S+/g, '…')
    .replace(/\S*\d\S*/g, '…')
    .replace(/\s+/g, ' ')
    .trim()
    .toLowerCase();
}
