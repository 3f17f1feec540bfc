import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  hash,
  type KeyObject,
  randomBytes,
} from 'node:crypto';
import { Q2cError } from '../model';

/** Encryption keys of a store: the one that seals, and former ones that still open what they have sealed. */

/** Sealed text is `enc1:<key id>:<base64 of IV, ciphertext and tag>`. */
const PREFIX = 'enc1:';
const ID_LENGTH = 16;
const IV_BYTES = 12;
const TAG_BYTES = 16;

interface Key {
  id: string;
  /** An object of the crypto library: bytes would be imported anew for every value, at several times its cost. */
  secret: KeyObject;
}

/**
 * AES-256-GCM under the current key, with a random 96-bit IV: NIST SP 800-38D allows 2^32 values per key, so a key is
 * to be changed every few billion values. A key's id is the start of its SHA-256, which tells nothing of a random key.
 */
export class Keyring {
  private readonly current: Key;
  private readonly keys: Map<string, Key>;

  /**
   * @param current 32 bytes that seal from now on
   * @param former keys of 32 bytes that only open
   */
  constructor(current: Buffer, former: readonly Buffer[] = []) {
    this.current = keyOf(current);
    this.keys = new Map([this.current, ...former.map(keyOf)].map((key) => [key.id, key]));
  }

  /** A keyring of the keys that another one has shared. */
  static of(shared: readonly KeyObject[]): Keyring {
    const [current, ...former] = shared.map((key) => key.export());
    if (current === undefined) throw new Error('A keyring has at least one key.');
    return new Keyring(current, former);
  }

  /** The keys for another thread: the current one first. */
  share(): KeyObject[] {
    const former = [...this.keys.values()].filter(({ id }) => id !== this.currentId);
    return [this.current, ...former].map(({ secret }) => secret);
  }

  get currentId(): string {
    return this.current.id;
  }

  has(id: string): boolean {
    return this.keys.has(id);
  }

  /** @param place where the text is kept; it opens in no other place */
  seal(place: string, text: string): string {
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.current.secret, iv).setAAD(Buffer.from(place));
    const sealed = Buffer.concat([iv, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
    return `${PREFIX}${this.current.id}:${sealed.toString('base64')}`;
  }

  /** @throws Q2cError `STORE_KEY_WRONG` when the key is not here, or the text was not sealed for this place. */
  open(place: string, sealed: string): string {
    const id = sealingKey(sealed);
    const key = this.keys.get(id ?? '');
    if (key === undefined) throw keyMissing([String(id)]);
    const bytes = Buffer.from(sealed.slice(PREFIX.length + ID_LENGTH + 1), 'base64');
    try {
      const decipher = createDecipheriv('aes-256-gcm', key.secret, bytes.subarray(0, IV_BYTES), {
        authTagLength: TAG_BYTES,
      });
      decipher.setAAD(Buffer.from(place)).setAuthTag(bytes.subarray(-TAG_BYTES));
      return (
        decipher.update(bytes.subarray(IV_BYTES, -TAG_BYTES), undefined, 'utf8') + decipher.final('utf8')
      );
    } catch (cause) {
      throw new Q2cError(
        'STORE_KEY_WRONG',
        `The encrypted value of ${place} in the store was changed or moved; restore a backup from before that.`,
        { cause },
      );
    }
  }
}

/** Id of the key that sealed a text; null when the text is not sealed. */
export function sealingKey(text: string): string | null {
  const end = PREFIX.length + ID_LENGTH;
  return text.startsWith(PREFIX) && text[end] === ':' ? text.slice(PREFIX.length, end) : null;
}

/**
 * Keys from the environment: `Q2C_ENCRYPTION_KEY`, and former ones in `Q2C_ENCRYPTION_KEYS_OLD`, separated by commas.
 * Each is 32 random bytes in base64 or hexadecimal (`openssl rand -base64 32`).
 *
 * @returns null when no key is set: the store is then kept readable
 * @throws Q2cError `STORE_KEY_WRONG` when a key is malformed, or only former keys are set.
 */
export function keyringFromEnv(env: NodeJS.ProcessEnv): Keyring | null {
  const current = env.Q2C_ENCRYPTION_KEY?.trim() ?? '';
  const former = (env.Q2C_ENCRYPTION_KEYS_OLD ?? '').split(',').map((text) => text.trim());
  const formerKeys = former
    .filter((text) => text !== '')
    .map((text) => keyBytes('Q2C_ENCRYPTION_KEYS_OLD', text));
  if (current !== '') return new Keyring(keyBytes('Q2C_ENCRYPTION_KEY', current), formerKeys);
  if (formerKeys.length === 0) return null;
  throw new Q2cError(
    'STORE_KEY_WRONG',
    'Q2C_ENCRYPTION_KEYS_OLD is set without Q2C_ENCRYPTION_KEY: set the key that encrypts from now on.',
  );
}

/** Keys that the store needs are not in the environment. */
export function keyMissing(ids: readonly string[]): Q2cError {
  return new Q2cError(
    'STORE_KEY_WRONG',
    `The store is encrypted with a key that is not set (id ${ids.join(', ')}). Set it in Q2C_ENCRYPTION_KEY, ` +
      'or in Q2C_ENCRYPTION_KEYS_OLD when another one has taken its place. Nothing was changed.',
  );
}

function keyBytes(name: string, text: string): Buffer {
  const bytes = Buffer.from(text, /^[0-9a-f]{64}$/i.test(text) ? 'hex' : 'base64');
  if (bytes.length === 32) return bytes;
  throw new Q2cError(
    'STORE_KEY_WRONG',
    `${name} must hold 32 bytes in base64 or hexadecimal, such as \`openssl rand -base64 32\` prints.`,
  );
}

function keyOf(secret: Buffer): Key {
  return { id: hash('sha256', secret).slice(0, ID_LENGTH), secret: createSecretKey(secret) };
}
