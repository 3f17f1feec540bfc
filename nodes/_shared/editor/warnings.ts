import type { SetupFacts } from '../setup-facts';

/**
 * Warnings of risky set-ups, at the top of forms. They are tips: a flow that one builds on purpose without a Catch node
 * must stay deployable without a question, so they are no validation messages, which make the editor ask.
 */

interface Warning {
  /** Key below `warning`. */
  key: string;
  values?: Record<string, string>;
}

type Connection = EditorNode & { name: string; environment: string };

const isConnection = ({ type }: EditorNode): boolean => /^q2c-.+-connection$/.test(type);

/** Of a node on a flow that keeps runs in a store. */
export function warnOfFlow(node: EditorNode & { z?: string }): void {
  const store = $('#node-input-store');
  const connection = $('#node-input-connection');
  const box = boxAbove('#node-input-name');
  const show = (facts: SetupFacts | null) =>
    box(node, [
      ...(isChosen(store) ? [] : [{ key: 'noStore' }]),
      ...(hasCatch(node) ? [] : [{ key: 'noCatch' }]),
      ...connectionWarnings(chosenConnection(connection), facts),
    ]);
  keepShown(show, store.add(connection));
}

/** Of the open form of a connection. */
export function warnOfConnection(node: Connection): void {
  const environment = $('#node-config-input-environment');
  const box = boxAbove('#node-config-input-name');
  const show = (facts: SetupFacts | null) =>
    box(node, connectionWarnings({ id: node.id, environment: String(environment.val()) }, facts));
  keepShown(show, environment);
}

/** Of the open form of a store. */
export function warnOfStore(node: EditorNode): void {
  const path = $('#node-config-input-path');
  const kind = $('#node-config-input-kind');
  const lookups = $('#node-config-input-lookups');
  const box = boxAbove('#node-config-input-name');
  const show = (facts: SetupFacts | null) => {
    const own = facts?.stores[node.id];
    const isFile = kind.val() === 'sqlite';
    const inMemory = isFile && String(path.val()).trim() === ':memory:';
    const production = connectionsTo('production');
    box(node, [
      ...(inMemory && production !== '' ? [{ key: 'memoryStore', values: { others: production } }] : []),
      ...(isFile && !inMemory && own?.file?.writable === false ? [{ key: 'readOnlyFolder' }] : []),
      ...(isOn(lookups) && own?.lookups.open && own.lookups.tokens === 0 ? [{ key: 'noToken' }] : []),
    ]);
  };
  keepShown(show, path.add(kind).add(lookups));
}

function connectionWarnings(
  own: { id: string; environment: string } | null,
  facts: SetupFacts | null,
): Warning[] {
  if (own === null) return [];
  if (own.environment === 'simulator') {
    const production = connectionsTo('production', own.id);
    return [
      ...(production === '' ? [] : [{ key: 'simulatorBesideProduction', values: { others: production } }]),
      ...(facts?.production ? [{ key: 'simulatorOnProductionHost' }] : []),
    ];
  }
  if (own.environment !== 'production') return [];
  const simulated = connectionsTo('simulator', own.id);
  return [
    ...(simulated === '' ? [] : [{ key: 'productionBesideSimulator', values: { others: simulated } }]),
    ...(hasStoreInMemory() ? [{ key: 'productionInMemory' }] : []),
  ];
}

/** Labels of the other connections of that environment. */
function connectionsTo(environment: string, except?: string): string {
  const labels: string[] = [];
  RED.nodes.eachConfig((config) => {
    if (!isConnection(config) || config.id === except) return true;
    const connection = config as Connection;
    if (connection.environment === environment) labels.push(RED.utils.getNodeLabel(connection));
    return true;
  });
  return labels.join(', ');
}

function hasStoreInMemory(): boolean {
  let found = false;
  RED.nodes.eachConfig((config) => {
    const store = config as EditorNode & { kind?: string; path?: string };
    found ||= store.type === 'q2c-store' && store.kind === 'sqlite' && store.path?.trim() === ':memory:';
    return true;
  });
  return found;
}

/** A Catch node that is switched on and takes the errors of this node. */
function hasCatch({ id, z }: EditorNode & { z?: string }): boolean {
  if (z === undefined) return true;
  const catches = RED.nodes.filterNodes({ z, type: 'catch' }) as (EditorNode & {
    d?: boolean;
    scope?: string[] | string | null;
  })[];
  return catches.some(({ d, scope }) => d !== true && (!Array.isArray(scope) || scope.includes(id)));
}

function chosenConnection(select: JQuery): Connection | null {
  const id = String(select.val() ?? '');
  return id === '' || id === '_ADD_' ? null : (RED.nodes.node(id) as Connection | null);
}

const isChosen = (select: JQuery): boolean => !['', '_ADD_', 'undefined'].includes(String(select.val()));

/** A check box or, where a variable may be named, a list. */
const isOn = (field: JQuery): boolean =>
  field.is(':checkbox') ? field.is(':checked') : String(field.val()) === 'true';

/** Shows what is known at once, again when the host has answered, and whenever one of the fields changes. */
function keepShown(show: (facts: SetupFacts | null) => void, fields: JQuery): void {
  let facts: SetupFacts | null = null;
  show(facts);
  fields.on('change input', () => show(facts));
  // Who may not read the set-up sees what the editor knows by itself.
  $.getJSON('q2c/setup').done((known: SetupFacts) => {
    facts = known;
    show(facts);
  });
}

/** A place above the row of a field. */
function boxAbove(field: string): (node: EditorNode, warnings: readonly Warning[]) => void {
  const box = $('<div class="q2c-warnings" role="status">').insertBefore($(field).closest('.form-row'));
  return (node, warnings) => {
    const tips = warnings.map(({ key, values }) =>
      $('<div class="form-tips q2c-warning">')
        .attr('data-q2c-warning', key)
        .append($('<i class="fa fa-warning">'), document.createTextNode(' '))
        .append(document.createTextNode(node._(`warning.${key}`, values))),
    );
    box.empty().append(tips);
  };
}
