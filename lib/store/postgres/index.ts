export {
  type PostgresSettings,
  postgresDefaults,
  settingsOfUrl,
  type Tls,
} from './settings';
export { describePostgres, openPostgresStore, type PostgresOptions } from './store';
