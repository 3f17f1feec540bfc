const MAX_REASON = 300;

/** What looks like a credential: bearer values, JSON Web Tokens, Salesforce session ids, long opaque strings. */
const CREDENTIALS = [
  /\b(?:Bearer|Basic)\s+[^\s"',;]+/gi,
  /\beyJ[\w-]+\.[\w-]+(?:\.[\w-]*)?/g,
  /\b00D\w{12,15}![\w.]+/g,
  /[A-Za-z0-9+/_=-]{48,}/g,
];

/**
 * A vendor's text as it may stand in an error: one line, at most 300 characters, no markup, no credentials.
 * `secrets` are values that must not appear in any case, such as the header that was sent.
 */
export function plainReason(text: string, secrets: readonly string[] = []): string {
  let plain = text;
  for (const secret of secrets) if (secret.length >= 6) plain = plain.replaceAll(secret, '[hidden]');
  for (const pattern of CREDENTIALS) plain = plain.replace(pattern, '[hidden]');
  plain = plain
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
  return plain.length > MAX_REASON ? `${plain.slice(0, MAX_REASON - 1)}…` : plain;
}
