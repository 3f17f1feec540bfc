import type { Node } from 'node-red';

/** What the host knows of a store beside its settings, for the warnings of forms. */
export interface StoreFacts {
  /** Null: a database server. */
  file: { inMemory: boolean; writable: boolean } | null;
  lookups: { open: boolean; tokens: number };
}

/** Answer of `GET q2c/setup` below the admin root. */
export interface SetupFacts {
  /** Node.js was told that this is a production host (`NODE_ENV`). */
  production: boolean;
  /** By id of the store node. */
  stores: Record<string, StoreFacts>;
}

/** A store node as the route sees it. */
export interface SurveyedStore extends Node {
  facts(): Promise<StoreFacts>;
}
