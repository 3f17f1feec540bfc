export * from './audit';
export * from './outbox';
export { prepared } from './prepared';
export * from './schema';
export { openSqliteStore } from './sqlite';
export * from './store';
