import { fillPicker } from '../../_shared/editor/picker';
import { warnOfFlow } from '../../_shared/editor/warnings';
import type { EventsProperties } from './types';

type EventsNode = EditorNode & EventsProperties;

/** Such as "Opportunity won in Salesforce". */
export function label(node: EventsNode): string {
  if (node.name) return node.name;
  const event = node._(`event.${node.event}.label`);
  return node._('events.nodeLabel', { event, system: node._('system.label') });
}

export function prepare(node: EventsNode, events: readonly string[]): void {
  const picker = $('#node-input-event');
  const choices = events.map((value) => ({ value, label: node._(`event.${value}.label`) }));
  fillPicker(picker, choices, node.event);
  picker.on('change', () => {
    $('#q2c-event-description').text(node._(`event.${String(picker.val())}.description`));
  });
  picker.trigger('change');
  warnOfFlow(node);
}
