/** What every connector is made of. A vendor folder imports the kit from here. */
export * from './auth';
export * from './checks';
export * from './connection';
export * from './country';
export * from './decimal';
export * from './errors';
export * from './events';
export * from './http';
export type * from './http-types';
export * from './jwt';
export * from './mapping';
export * from './oauth1';
export * from './operation';
export * from './paging';
export * from './polling';
export * from './reply';
export * from './text';
export type * from './types';
