/**
 * Gives nodes that were made before a property existed its default, as soon as the editor reads them: it
 * does so only for new nodes, and an undefined value would show as an empty field and break the validators.
 */
export function fillDefaults(types: readonly string[]): void {
  RED.events.on('nodes:add', (node) => {
    if (!types.includes(node.type)) return;
    const values: Record<string, unknown> = node;
    for (const [name, { value }] of Object.entries(node._def.defaults)) values[name] ??= value;
  });
}
