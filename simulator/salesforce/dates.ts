/** Datetimes as the API writes them: UTC, milliseconds, offset without colon. */
export function formatDatetime(epochMs: number): string {
  return new Date(epochMs).toISOString().replace('Z', '+0000');
}

const DATETIME = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,3})?)(Z|[+-]\d{2}:?\d{2})$/;

/** Epoch milliseconds of an ISO 8601 instant with offset, null when it is none. */
export function parseDatetime(text: string): number | null {
  const match = DATETIME.exec(text);
  if (!match?.[1] || !match[2]) return null;
  const offset = match[2].replace(/^([+-]\d{2})(\d{2})$/, '$1:$2');
  const epoch = Date.parse(match[1] + offset);
  return Number.isNaN(epoch) || !isDate(match[1].slice(0, 10)) ? null : epoch;
}

/** True for a day that exists, as `YYYY-MM-DD`. */
export function isDate(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const parsed = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(parsed.getTime()) && parsed.toISOString().startsWith(text);
}
