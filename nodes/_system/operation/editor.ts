import { showExample } from '../../_shared/editor/operation-example';
import { type Choice, fillPicker } from '../../_shared/editor/picker';
import { warnOfFlow } from '../../_shared/editor/warnings';

import { type OperationProperties, parameterTypes } from './types';

type OperationNode = EditorNode & OperationProperties;

/** Entity → verb → ids of the parameters that must be filled in. */
export type Operations = Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;

/** Such as "Create project in Kantata OX". */
export function label(node: OperationNode): string {
  if (node.name) return node.name;
  const operation = node._(`entity.${node.entity}.${node.verb}.label`);
  return node._('operation.nodeLabel', { operation, system: node._('system.label') });
}

export function knownEntity(operations: Operations): Validator<OperationProperties> {
  return function (value, _options) {
    return value in operations || this._('validator.choose');
  };
}

export function knownVerb(operations: Operations): Validator<OperationProperties> {
  return function (value, _options) {
    return value in (operations[formValue(this, 'entity')] ?? {}) || this._('validator.choose');
  };
}

/** Required while an operation is chosen that needs this parameter. */
export function neededParameter(id: string, operations: Operations): Validator<OperationProperties> {
  return function (value, _options) {
    const required = operations[formValue(this, 'entity')]?.[formValue(this, 'verb')]?.includes(id);
    return !required || value.trim() !== '' || this._('validator.required');
  };
}

export function prepare(node: OperationNode, operations: Operations): void {
  const entity = $('#node-input-entity').data('q2cNode', node.id);
  const verb = $('#node-input-verb');
  fillPicker(entity, entityChoices(node, operations), node.entity);
  fillPicker(verb, verbChoices(node, operations), node.verb);
  entity.on('change', () => {
    fillPicker(verb, verbChoices(node, operations), String(verb.val()));
    // The editor has validated the form with the verb of the entity before.
    verb.trigger('change');
  });
  verb.on('change', () => showOperation(node));
  showOperation(node);
  warnOfFlow(node);
  $('#node-input-input').typedInput({
    default: 'msg',
    types: ['msg', 'flow', 'global', 'jsonata'],
    typeField: '#node-input-inputType',
  });
  $('[data-q2c-typed]').each((_, field) => {
    $(field).typedInput({ default: 'str', types: [...parameterTypes], typeField: `#${field.id}Type` });
  });
}

function entityChoices(node: OperationNode, operations: Operations): Choice[] {
  return Object.keys(operations).map((value) => ({ value, label: node._(`entity.${value}.label`) }));
}

function verbChoices(node: OperationNode, operations: Operations): Choice[] {
  const entity = String($('#node-input-entity').val());
  return Object.keys(operations[entity] ?? {}).map((value) => ({
    value,
    label: node._(`entity.${entity}.${value}.label`),
  }));
}

function showOperation(node: OperationNode): void {
  const operation = `${formValue(node, 'entity')}.${formValue(node, 'verb')}`;
  $('#q2c-operation-description').text(node._(`entity.${operation}.description`));
  showExample(node, operation);
  $('[data-q2c-operations]').each((_, row) => {
    $(row).toggle($(row).attr('data-q2c-operations')?.split(' ').includes(operation) ?? false);
  });
}

/** What the open form says, else what is saved: the editor validates with the saved values of other fields. */
function formValue(node: OperationNode, property: 'entity' | 'verb'): string {
  const open = $('#node-input-entity').data('q2cNode') === node.id;
  return open ? String($(`#node-input-${property}`).val()) : node[property];
}
