export * from './audit';
export * from './locks';
export * from './postgres';
export { prepared } from './prepared';
export { reserveCall } from './rate-budget';
export * from './schema';
export { openSqliteStore } from './sqlite';
export * from './store';
