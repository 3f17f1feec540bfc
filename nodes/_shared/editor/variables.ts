/** A value that Node-RED takes from an environment variable before the node sees it: `${NAME}`. */
export const isVariable = (value: unknown): boolean =>
  typeof value === 'string' && /^\$\{[^{}]+\}$/.test(value.trim());

/** Anything that the validator takes, or a variable that holds it. */
export function orVariable<P>(validator: Validator<P>): Validator<P> {
  return function (value, options) {
    return isVariable(value) || validator.call(this, value, options);
  };
}

/**
 * Lets lists and check boxes of a configuration node's open form be variables too. Fields of text take them as they are.
 * Called after the lists are filled.
 */
export function offerVariables(node: EditorNode): void {
  const values: Record<string, unknown> = { ...node };
  for (const [name, { type }] of Object.entries(node._def.defaults)) {
    // What points to another configuration node is chosen from those that are there.
    if (type !== undefined) continue;
    const field = $(`#node-config-input-${name}`);
    if (field.is('select')) offerInList(node, field, values[name]);
    else if (field.is(':checkbox')) offerInPlace(node, field, values[name]);
  }
}

/** A last choice that asks for the name. */
function offerInList(node: EditorNode, list: JQuery, saved: unknown): void {
  const choice = $('<option>').val(`\${}`).text(node._('variable.choice')).appendTo(list);
  const name = nameField(node).insertAfter(list);
  if (isVariable(saved)) {
    choice.val(String(saved));
    list.val(String(saved));
    name.val(String(saved));
  }
  const show = () => name.toggle(choice.is(':selected'));
  list.on('change', show);
  name.on('input', () => {
    choice.val(String(name.val()).trim() || `\${}`);
    list.trigger('change');
  });
  show();
}

/** A field of text takes the place, and the id, of the box. */
function offerInPlace(node: EditorNode, box: JQuery, saved: unknown): void {
  const button = $('<button type="button" class="red-ui-button red-ui-button-small">')
    .text(`\${…}`)
    .attr('title', node._('variable.choice'))
    .insertAfter(box);
  const swap = (value: string) => {
    const name = nameField(node)
      .attr('id', box.attr('id') ?? '')
      .val(value);
    box.replaceWith(name);
    button.remove();
    return name;
  };
  if (isVariable(saved)) swap(String(saved));
  else button.on('click', () => swap('').trigger('focus'));
}

const nameField = (node: EditorNode): JQuery =>
  $(`<input type="text" class="q2c-variable" placeholder="\${NAME}">`).attr(
    'aria-label',
    node._('variable.choice'),
  );
