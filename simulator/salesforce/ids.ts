/** Record ids: 15 case-sensitive characters (3 of key prefix), and 3 more that carry the case for programs that ignore it. */

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const SUFFIX = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ012345';
/** Characters 4 to 6 name the instance that made the id. */
const INSTANCE = 'Q20';

/** The n-th id of an object in this org, 18 characters. */
export function makeId(keyPrefix: string, n: number): string {
  let rest = n;
  let digits = '';
  for (let i = 0; i < 9; i++) {
    digits = (BASE62[rest % 62] ?? '0') + digits;
    rest = Math.floor(rest / 62);
  }
  return withSuffix(`${keyPrefix}${INSTANCE}${digits}`);
}

export function isIdShaped(text: string): boolean {
  return /^[a-zA-Z0-9]{15}([A-Z0-5]{3})?$/.test(text);
}

/** The 18-character form of a 15- or 18-character id; null when it is no id. */
export function normaliseId(text: string): string | null {
  if (!isIdShaped(text)) return null;
  return withSuffix(text.slice(0, 15));
}

/** Each suffix character holds, as five bits, which of five characters are upper case. */
function withSuffix(id15: string): string {
  let suffix = '';
  for (let block = 0; block < 3; block++) {
    let bits = 0;
    for (let i = 0; i < 5; i++) {
      if (/[A-Z]/.test(id15[block * 5 + i] ?? '')) bits |= 1 << i;
    }
    suffix += SUFFIX[bits] ?? '';
  }
  return id15 + suffix;
}
