export * from './audit';
export * from './schema';
export { openSqliteStore } from './sqlite';
export * from './store';
