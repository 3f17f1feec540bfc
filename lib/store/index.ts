export * from './audit';
export { open, seal } from './encryption';
export { type Keyring, keyringFromEnv } from './keyring';
export * from './outbox';
export { prepared } from './prepared';
export { type RetentionPolicy, retentionPolicy, sweepDaily } from './retention';
export * from './schema';
export { openSqliteStore } from './sqlite';
export * from './store';
