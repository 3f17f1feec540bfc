import { generateKeyPair, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import type { RecordStore } from '../../kit/types';
import { isObject } from '../records/data';

/**
 * What the administrator set up for the integration. The certificate's private key is kept only because the
 * simulator hands it to connections in Simulator mode; the vendor never sees it.
 */
export interface Secrets {
  clientId: string;
  certificateId: string;
  publicKey: string;
  privateKey: string;
  consumerKey: string;
  consumerSecret: string;
  tokenId: string;
  tokenSecret: string;
  /** Key of the access tokens' signatures. */
  signingKey: string;
}

/** `identity.` values survive a reset: connections keep their credentials. */
const SECRETS_KEY = 'identity.netsuite';
const GENERATION_KEY = 'netsuite.tokenGeneration';

const SECRET_NAMES = [
  'clientId',
  'certificateId',
  'publicKey',
  'privateKey',
  'consumerKey',
  'consumerSecret',
  'tokenId',
  'tokenSecret',
  'signingKey',
] as const satisfies readonly (keyof Secrets)[];

/** Makes key pair, keys and secrets of the account, unless it has them already. */
export async function createSecrets(db: RecordStore): Promise<void> {
  if (db.getValue(SECRETS_KEY) !== null) return;
  const pair = await promisify(generateKeyPair)('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const key = (): string => randomBytes(32).toString('hex');
  const secrets: Secrets = {
    clientId: key(),
    certificateId: randomBytes(32).toString('base64url'),
    publicKey: pair.publicKey,
    privateKey: pair.privateKey,
    consumerKey: key(),
    consumerSecret: key(),
    tokenId: key(),
    tokenSecret: key(),
    signingKey: key(),
  };
  db.setValue(SECRETS_KEY, JSON.stringify(secrets));
}

const cache = new WeakMap<RecordStore, { text: string; secrets: Secrets }>();

/** @throws Error when the store was not seeded. */
export function secretsOf(db: RecordStore): Secrets {
  const text = db.getValue(SECRETS_KEY);
  if (text === null) throw new Error('The NetSuite simulator has no secrets: it was not seeded');
  const cached = cache.get(db);
  if (cached?.text === text) return cached.secrets;
  const secrets = parseSecrets(text);
  cache.set(db, { text, secrets });
  return secrets;
}

function parseSecrets(text: string): Secrets {
  const parsed: unknown = JSON.parse(text);
  const read = (name: keyof Secrets): string => {
    const value = isObject(parsed) ? parsed[name] : undefined;
    if (typeof value !== 'string') throw new Error(`The NetSuite simulator's stored secrets lack ${name}`);
    return value;
  };
  const entries = SECRET_NAMES.map((name) => [name, read(name)] as const);
  return Object.fromEntries(entries) as Record<keyof Secrets, string>;
}

/** Tokens of an older generation are no longer valid. */
export function tokenGeneration(db: RecordStore): number {
  return Number(db.getValue(GENERATION_KEY) ?? '0');
}

export function expireAccessTokens(db: RecordStore): void {
  db.setValue(GENERATION_KEY, String(tokenGeneration(db) + 1));
}
