export * from './audit';
export { prepared } from './prepared';
export * from './schema';
export { openSqliteStore } from './sqlite';
export * from './store';
