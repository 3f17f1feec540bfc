import { t } from './i18n';

/** Words for identifiers of the API; what is newer than the console is shown by its own name. */

const roles: Record<string, string> = t.role;
const codes: Record<string, string> = t.code;
const scopes: Record<string, string> = t.scope;
const workLists: Record<string, string> = t.work.lists;
const entries: Record<string, string> = t.entry;

const inWords = (id: string): string =>
  id
    .replaceAll('_', ' ')
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase();
const asSentence = (words: string): string => words.charAt(0).toUpperCase() + words.slice(1);

export const roleName = (role: string): string => roles[role] ?? inWords(role);
export const codeName = (code: string): string => codes[code] ?? asSentence(inWords(code));
export const scopeName = (scope: string): string => scopes[scope] ?? asSentence(inWords(scope));
export const workListName = (list: string): string => workLists[list] ?? asSentence(inWords(list));
export const entryName = (action: string): string => entries[action] ?? asSentence(inWords(action));

/** `billingScheduleLine.upsert` → "billing schedule line upsert". */
export const operationName = (operation: string): string => operation.split('.').map(inWords).join(' · ');
export const entityName = (entity: string): string => asSentence(inWords(entity));
/** Products are written in the letters of their ids, with a capital. */
export const systemName = (system: string): string =>
  ({ netsuite: 'NetSuite', salesforce: 'Salesforce', kantata: 'Kantata' })[system] ?? asSentence(system);
