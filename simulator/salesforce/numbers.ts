/**
 * Amounts are doubles on this platform's wire. Sums and products go through whole multiples of 10⁻⁶, so that
 * 0.1 + 0.2 is 0.3 and a roll-up is the exact sum of what the lines show.
 */
const SCALE = 6;

export function sum(values: readonly number[]): number {
  return fromScaled(
    values.reduce((total, value) => total + toScaled(value), 0n),
    SCALE,
  );
}

/** Product rounded half away from zero to `decimals`. */
export function product(a: number, b: number, decimals: number): number {
  return roundScaled(toScaled(a) * toScaled(b), 2 * SCALE, decimals);
}

/** Quotient rounded half away from zero to `decimals`. */
export function quotient(a: number, b: number, decimals: number): number {
  const precision = 10n ** BigInt(SCALE);
  return roundScaled((toScaled(a) * precision) / toScaled(b), SCALE, decimals);
}

function toScaled(value: number): bigint {
  const [whole = '0', fraction = ''] = plain(value).split('.');
  const digits = BigInt(whole.replace('-', '') + fraction.slice(0, SCALE).padEnd(SCALE, '0'));
  return value < 0 ? -digits : digits;
}

/** The shortest decimal text that reads back as the same double, never with an exponent. */
function plain(value: number): string {
  const text = String(value);
  return text.includes('e') ? value.toFixed(SCALE) : text;
}

function roundScaled(value: bigint, scale: number, decimals: number): number {
  const unit = 10n ** BigInt(scale - decimals);
  const half = unit / 2n;
  const rounded = value < 0n ? -((-value + half) / unit) : (value + half) / unit;
  return fromScaled(rounded, decimals);
}

function fromScaled(value: bigint, scale: number): number {
  const digits = (value < 0n ? -value : value).toString().padStart(scale + 1, '0');
  const text = `${digits.slice(0, -scale || undefined)}.${scale === 0 ? '0' : digits.slice(-scale)}`;
  return value < 0n ? -Number(text) : Number(text);
}
