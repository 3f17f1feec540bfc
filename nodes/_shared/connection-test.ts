import type { CheckOptions, CheckText, ConnectionCheck } from '../../lib/systems/kit/types';

/**
 * One line of a test, in English; `line` and `findings` say the same by keys, where the texts exist in the languages of the
 * editor.
 */
export interface CheckLine extends Pick<ConnectionCheck, 'id' | 'label' | 'state' | 'message' | 'advice'> {
  line?: CheckText;
  findings?: readonly CheckText[];
}

/**
 * Answer of `POST q2c/connections/<node id>/test` below the admin root: JSON values, one a line, in the order in which they
 * become known. First the plan with all lines that will be looked at, where it is known beforehand.
 */
export type TestProgress = { plan: Pick<CheckLine, 'id' | 'label' | 'line'>[] } | { check: CheckLine };

/** What a node without a plan of its own answers. */
export interface PlainCheck {
  id: string;
  label: string;
  ok: boolean;
  message: string;
}

/** What a configuration node has whose form has a "Test connection" button. */
export interface Testable {
  test(options?: CheckOptions): Promise<(PlainCheck | ConnectionCheck)[]>;
}

/** A line with its state, whatever node it comes from. */
export function checkLine(check: PlainCheck | ConnectionCheck): ConnectionCheck {
  if ('state' in check) return check;
  const { id, label, ok, message } = check;
  const text = { key: '', values: {} };
  return { id, label, ok, message, state: ok ? 'ok' : 'failed', advice: '', line: text, findings: [] };
}
