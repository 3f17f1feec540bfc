import {
  mdiAccountOutline,
  mdiAlertCircleOutline,
  mdiAlertOctagonOutline,
  mdiAlertOutline,
  mdiCancel,
  mdiCheckCircleOutline,
  mdiCircleOutline,
  mdiClockOutline,
  mdiHandBackRightOutline,
  mdiHelpCircleOutline,
  mdiPauseCircleOutline,
  mdiPlayCircleOutline,
  mdiProgressClock,
  mdiRefresh,
  mdiSkipNextCircleOutline,
  mdiSourceMerge,
  mdiUndoVariant,
  mdiWrenchOutline,
} from '@mdi/js';
import { t } from './i18n';

/** How states look: each has a word, an icon and a colour, and never the colour alone. */

export type Tone = 'success' | 'warning' | 'error' | 'info' | 'idle';
export type StateKind = keyof typeof looks;

type Look = readonly [Tone, string];

const looks = {
  run: {
    parked: ['warning', mdiPauseCircleOutline],
    queued: ['idle', mdiClockOutline],
    running: ['info', mdiPlayCircleOutline],
    waiting: ['idle', mdiProgressClock],
    completed: ['success', mdiCheckCircleOutline],
    failed: ['error', mdiAlertCircleOutline],
    superseded: ['idle', mdiSourceMerge],
    cancelling: ['warning', mdiUndoVariant],
    cancelled: ['idle', mdiCancel],
  },
  step: {
    intent: ['info', mdiPlayCircleOutline],
    confirmed: ['success', mdiCheckCircleOutline],
    rejected: ['error', mdiAlertCircleOutline],
    unknown: ['warning', mdiHelpCircleOutline],
    failed: ['error', mdiAlertCircleOutline],
    skipped: ['idle', mdiSkipNextCircleOutline],
    undone: ['idle', mdiUndoVariant],
  },
  case: {
    open: ['warning', mdiAlertCircleOutline],
    assigned: ['info', mdiAccountOutline],
    in_repair: ['info', mdiWrenchOutline],
    ready_to_replay: ['info', mdiRefresh],
    replaying: ['info', mdiPlayCircleOutline],
    resolved: ['success', mdiCheckCircleOutline],
    waived: ['idle', mdiHandBackRightOutline],
  },
  entity: {
    confirmed: ['success', mdiCheckCircleOutline],
    in_progress: ['info', mdiPlayCircleOutline],
    failed: ['error', mdiAlertCircleOutline],
    skipped: ['idle', mdiSkipNextCircleOutline],
    undone: ['idle', mdiUndoVariant],
  },
  severity: {
    critical: ['error', mdiAlertOctagonOutline],
    error: ['error', mdiAlertCircleOutline],
    warning: ['warning', mdiAlertOutline],
  },
  approval: {
    pending: ['warning', mdiProgressClock],
    approved: ['info', mdiPlayCircleOutline],
    done: ['success', mdiCheckCircleOutline],
    failed: ['error', mdiAlertCircleOutline],
    rejected: ['error', mdiCancel],
    withdrawn: ['idle', mdiUndoVariant],
  },
  breaker: {
    closed: ['success', mdiCheckCircleOutline],
    open: ['error', mdiAlertCircleOutline],
    'half-open': ['warning', mdiHelpCircleOutline],
    idle: ['idle', mdiCircleOutline],
  },
} satisfies Record<string, Record<string, Look>>;

const otherLook: Look = ['idle', mdiCircleOutline];

/** A state that is newer than the console is shown by its own name. */
export function stateLook(kind: StateKind, state: string): { tone: Tone; icon: string; word: string } {
  const known: Record<string, Look> = looks[kind];
  const words: Record<string, string> = t.state[kind];
  const [tone, icon] = known[state] ?? otherLook;
  return { tone, icon, word: words[state] ?? state.replaceAll('_', ' ') };
}
