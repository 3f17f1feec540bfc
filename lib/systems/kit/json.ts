import { Decimal } from 'decimal.js';
import type { JsonValue } from '../../model';

/**
 * Numbers that may not survive as a JS number: 16 or more digits in a row (with or without a point), or an
 * exponent. Everything below 16 digits does. Digits inside strings only cost the slower path.
 */
const MAY_LOSE = /(?:\d\.?){16}|\d[eE][+-]?\d/;

/**
 * Parses JSON without changing a number: one that a JS number cannot hold exactly becomes the string of the text,
 * for example `12345678901234567890` or `0.12345678901234567`.
 *
 * @throws SyntaxError when the text is not JSON.
 */
export function parseJson(text: string): JsonValue {
  return MAY_LOSE.test(text) ? JSON.parse(text, keepExact) : JSON.parse(text);
}

/** `context.source` is the text of the number as it stood in the JSON (Node.js 21+). */
function keepExact(_key: string, value: JsonValue, context?: { source?: string }): JsonValue {
  if (typeof value !== 'number' || context?.source === undefined) return value;
  return new Decimal(context.source).equals(value) ? value : context.source;
}
