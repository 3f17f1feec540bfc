/** What the firm form shows and checks of a set-up. The host validates the whole of it at deploy. */
export interface FirmSummary {
  entities: { name: string; country: string; currency: string; timeZone: string }[];
  /** `system.table` with the number of its entries. */
  tables: { name: string; entries: number }[];
}

/** What is wrong, as key and values of a text in the catalogue of `q2c-firm`. */
export interface FirmProblem {
  key: string;
  values?: Record<string, string | number>;
}

/** Sections that every set-up has. */
const sections = ['legalEntities', 'sellingRules', 'serviceLines', 'acceptance', 'planning', 'lookups'];

const entityFields = ['key', 'name', 'country', 'functionalCurrency', 'timeZone'] as const;

/** Reads the JSON text of a set-up far enough to show it; the first thing wrong instead, if something is. */
export function summariseFirm(text: string): { summary: FirmSummary } | { problem: FirmProblem } {
  let firm: unknown;
  try {
    firm = JSON.parse(text);
  } catch (error) {
    return {
      problem: { key: 'problem.json', values: { reason: error instanceof Error ? error.message : '' } },
    };
  }
  if (!isRecord(firm)) return { problem: { key: 'problem.object' } };
  const missing = sections.find((section) => !(section in firm));
  if (missing) return { problem: { key: 'problem.section', values: { section: missing } } };
  const { legalEntities, lookups } = firm;
  const problem = entityProblem(legalEntities) ?? lookupProblem(lookups);
  if (problem) return { problem };
  return { summary: { entities: entityRows(legalEntities), tables: tableRows(lookups) } };
}

function entityProblem(entities: unknown): FirmProblem | null {
  if (!Array.isArray(entities) || entities.length === 0) return { key: 'problem.entities' };
  for (const [index, entity] of entities.entries()) {
    const field = entityFields.find((name) => !isRecord(entity) || !isText(entity[name]));
    if (field) return { key: 'problem.entity', values: { position: index + 1, field } };
  }
  return null;
}

function lookupProblem(lookups: unknown): FirmProblem | null {
  const isTable = (table: unknown) => isRecord(table) && Object.values(table).every(isText);
  const isSystem = (system: unknown) => isRecord(system) && Object.values(system).every(isTable);
  return isRecord(lookups) && Object.values(lookups).every(isSystem) ? null : { key: 'problem.lookups' };
}

function entityRows(entities: unknown): FirmSummary['entities'] {
  return (Array.isArray(entities) ? entities : []).filter(isRecord).map((entity) => ({
    name: String(entity.name),
    country: String(entity.country),
    currency: String(entity.functionalCurrency),
    timeZone: String(entity.timeZone),
  }));
}

function tableRows(lookups: unknown): FirmSummary['tables'] {
  return records(lookups).flatMap(([system, tables]) =>
    records(tables).map(([table, entries]) => ({
      name: `${system}.${table}`,
      entries: records(entries).length,
    })),
  );
}

function records(value: unknown): [string, unknown][] {
  return isRecord(value) ? Object.entries(value) : [];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
