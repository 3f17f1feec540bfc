import type { EvidencePack } from './evidence';

/**
 * The evidence of a deal as a page to read, print and file: one file without scripts or anything from elsewhere.
 * Everything from outside is shown as text.
 */
export function evidenceHtml(pack: EvidencePack): string {
  const { deal, chain } = pack;
  const verdict = chain.intact
    ? `The audit was intact: ${chain.lines} lines, the last with hash ${chain.head}.`
    : `The audit was broken at line ${chain.brokenAt}.`;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Evidence: ${deal.title}</title>
<style>${raw(STYLE)}</style>
</head>
<body>
<h1>${deal.title}</h1>
<p>Deal ${deal.correlationId}. Made ${pack.generatedAt} for ${pack.generatedBy}.</p>
<p class="${chain.intact ? 'good' : 'bad'}">${verdict}</p>
<p>Digest of this evidence: <code>${pack.digest}</code></p>
${section('What came in', table(pack.events))}
${pack.runs.map(
  (run) => html`<h2>Run ${run.id}: ${run.state}</h2>
<p>Begun ${run.createdAt}, ended ${run.endedAt ?? 'not yet'}, attempt ${run.attempt}.</p>
${table(run.steps)}
${run.decisions.length === 0 ? '' : html`<h3>Decided by people</h3>${table(run.decisions)}`}`,
)}
${section('Records in the systems', table(pack.records))}
${section(
  'Cases',
  pack.cases.map(
    ({ history, ...facts }) => html`<h3>${facts.code}: ${facts.state}</h3><p>${facts.message}</p>
<p>${facts.id}, owner ${facts.ownerRole}, opened ${facts.openedAt}, resolved ${facts.resolvedAt ?? 'not yet'}${
      facts.amountAtRisk === null ? '' : `, at risk ${facts.amountAtRisk} ${facts.currency}`
    }.</p>${table(history)}`,
  ),
)}
${section('Audit', table(pack.audit))}
</body>
</html>
`.text;
}

const STYLE = `
body { font: 14px/1.5 system-ui, sans-serif; color: #1c1e21; background: #fff; margin: 2rem auto; max-width: 75rem; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; } h3 { font-size: 1rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { border: 1px solid #c9ccd1; padding: 0.25rem 0.5rem; text-align: left; vertical-align: top; overflow-wrap: anywhere; }
th { background: #f0f2f4; white-space: nowrap; } td { min-width: 4rem; }
.good { color: #14622e; } .bad { color: #a3161c; font-weight: 600; }
@media print { body { margin: 0; max-width: none; font-size: 9px; } .scroll { overflow: visible; } }
`;

/** Text that is HTML already. */
class Html {
  constructor(readonly text: string) {}
}

const raw = (text: string): Html => new Html(text);

type Part = string | number | null | Html | readonly Part[];

/** Writes HTML; whatever is put in is escaped, unless it is HTML itself. */
function html(strings: TemplateStringsArray, ...parts: Part[]): Html {
  return new Html(
    strings.map((text, index) => text + (index < parts.length ? written(parts[index] ?? '') : '')).join(''),
  );
}

function written(part: Part): string {
  if (part instanceof Html) return part.text;
  if (Array.isArray(part)) return part.map(written).join('\n');
  return escaped(String(part));
}

const ENTITIES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

const escaped = (text: string): string => text.replace(/[&<>"']/g, (sign) => ENTITIES[sign] ?? sign);

const section = (title: string, content: Part): Html => html`<h2>${title}</h2>${content}`;

/** Rows of one shape, with their fields as columns. */
function table(rows: readonly object[]): Html {
  const [first] = rows;
  if (first === undefined) return html`<p>None.</p>`;
  const columns = Object.keys(first);
  return html`<div class="scroll"><table><thead><tr>${columns.map(
    (column) => html`<th scope="col">${inWords(column)}</th>`,
  )}</tr></thead><tbody>
${rows.map((row) => html`<tr>${Object.values(row).map((value) => html`<td>${String(value ?? '')}</td>`)}</tr>`)}
</tbody></table></div>`;
}

/** `idempotencyKey` and `prev_hash` as words. */
const inWords = (name: string): string =>
  name.replace(/([A-Z])/g, (letter) => ` ${letter.toLowerCase()}`).replaceAll('_', ' ');
