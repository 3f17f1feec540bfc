/** Entity and verb → what the operation reads and adds, as `npm run examples` found it. */
type Examples = Readonly<Record<string, { input: Record<string, unknown>; output: Record<string, unknown> }>>;

/** Fetched once for each system, by its node type. */
const fetched = new Map<string, JQuery.jqXHR<Examples>>();

/** Shows the example of an operation, as soon as somebody opens it. */
export function showExample(node: EditorNode, operation: string): void {
  const box = $('#q2c-example').attr('data-q2c-operation', operation);
  box.off('toggle').on('toggle', () => load(node));
  load(node);
}

function load(node: EditorNode): void {
  const box = $('#q2c-example');
  if (box.attr('open') === undefined) return;
  const system = node.type.replace(/^q2c-/, '');
  const url = `resources/@quote-to-cash/node-red/examples/${system}.json`;
  const examples = fetched.get(system) ?? $.getJSON(url);
  fetched.set(system, examples);
  examples.done((all: Examples) => {
    const { input = {}, output = {} } = all[box.attr('data-q2c-operation') ?? ''] ?? {};
    $('#q2c-example-input').text(inText(node, input));
    $('#q2c-example-output').text(inText(node, output));
  });
  examples.fail(() => {
    fetched.delete(system);
    $('#q2c-example-input').text(node._('operation.exampleFailed'));
  });
}

const inText = (node: EditorNode, parts: Record<string, unknown>): string =>
  Object.keys(parts).length === 0 ? node._('operation.exampleNothing') : JSON.stringify(parts, null, 2);
