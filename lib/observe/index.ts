export type { ConnectionState } from './gauges';
export { observability } from './observability';
