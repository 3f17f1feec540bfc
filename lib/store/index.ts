export * from './audit';
export * from './locks';
export * from './postgres';
export { prepared } from './prepared';
export * from './schema';
export { openSqliteStore } from './sqlite';
export * from './store';
