import Table from 'cli-table3';
import type { CaseSummary, RunReport } from '../../lib/api/reports.ts';

const STYLE = { head: [], border: [] };

/** A run for the terminal: every record with its id in each system, every step with outcome and duration. */
export function formatRun(run: RunReport): string {
  const took =
    run.startedAt !== null && run.endedAt !== null
      ? ` in ${((Date.parse(run.endedAt) - Date.parse(run.startedAt)) / 1000).toFixed(1)} s`
      : '';
  return [
    `\nDeal "${run.title}": ${run.state}${took}`,
    formatRefs(run),
    formatSteps(run),
    run.cases.some(({ state }) => state !== 'resolved') ? formatCases(run.cases) : '',
  ]
    .filter((part) => part !== '')
    .join('\n');
}

function formatRefs({ refs }: RunReport): string {
  const systems = [...new Set(refs.map(({ system }) => system))].sort();
  const table = new Table({ head: ['entity', 'canonical id', ...systems], style: STYLE });
  const ids = [...new Set(refs.map(({ canonicalId }) => canonicalId))];
  for (const id of ids) {
    const own = refs.filter(({ canonicalId }) => canonicalId === id);
    const cells = systems.map((system) =>
      own
        .filter((ref) => ref.system === system)
        .map(({ type, externalId }) => `${type} ${externalId}`)
        .join('\n'),
    );
    table.push([own[0]?.entity ?? '', id, ...cells]);
  }
  return `\nRecords\n${table}`;
}

function formatSteps({ steps }: RunReport): string {
  const table = new Table({
    head: ['step', 'system', 'operation', 'outcome', 'calls', 'probes', 'ms'],
    style: STYLE,
  });
  for (const step of steps) {
    const outcome = step.error === null ? outcomeOf(step) : `${step.state}: ${step.error.code}`;
    table.push([
      step.node,
      step.system,
      step.operation,
      outcome,
      step.calls,
      step.probes,
      step.durationMs ?? '',
    ]);
  }
  return `\nSteps\n${table}`;
}

function outcomeOf({ state, origin }: RunReport['steps'][number]): string {
  if (origin === 'probe') return `${state} (found by probe)`;
  if (origin === 'earlier_run') return `${state} (known from an earlier deal)`;
  return state;
}

export function formatCases(
  cases: readonly Pick<CaseSummary, 'code' | 'ownerRole' | 'message' | 'amountAtRisk'>[],
): string {
  const table = new Table({
    head: ['case', 'owner', 'message', 'at risk'],
    colWidths: [28, 17, 60, 18],
    wordWrap: true,
    style: STYLE,
  });
  for (const { code, ownerRole, message, amountAtRisk } of cases) {
    table.push([
      code,
      ownerRole,
      message,
      amountAtRisk ? `${amountAtRisk.amount} ${amountAtRisk.currency}` : '',
    ]);
  }
  return `\nOpen cases\n${table}`;
}
