export * from './audit';
export { open, seal } from './encryption';
export { type Keyring, keyringFromEnv } from './keyring';
export { prepared } from './prepared';
export * from './schema';
export { openSqliteStore } from './sqlite';
export * from './store';
