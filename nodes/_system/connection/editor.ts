import { prepareTest } from '../../_shared/editor/connection-test';
import { markUnsetCredentials } from '../../_shared/editor/credentials';
import { isVariable, offerVariables } from '../../_shared/editor/variables';
import { warnOfConnection } from '../../_shared/editor/warnings';
import type { ConnectionProperties } from './types';

type ConnectionNode = EditorNode & ConnectionProperties;

const prefix = '#node-config-input';

export function label(node: ConnectionNode): string {
  const where = isVariable(node.environment) ? node.environment : node._(`connection.${node.environment}`);
  return node.name || `${node._('system.label')} (${where})`;
}

/**
 * Required when the connection points to a real system and, for fields of authentication, when one of
 * these schemes is chosen. Null = a setting, required with every scheme.
 */
export function needed(schemes: readonly string[] | null): Validator<ConnectionProperties> {
  return function (value, _options) {
    const asked = formValue(this, 'environment') !== 'simulator';
    const chosen = schemes === null || schemes.includes(formValue(this, 'auth'));
    return !asked || !chosen || value.trim() !== '' || this._('validator.required');
  };
}

export function prepare(node: ConnectionNode): void {
  offerVariables(node);
  $(`${prefix}-environment`).data('q2cNode', node.id);
  $(`${prefix}-environment, ${prefix}-auth`).on('change', () => showFields(node));
  showFields(node);
  markUnsetCredentials(node);
  prepareTest(node);
  warnOfConnection(node);
  $('#q2c-tenant-title').text(node._('tenant.prepare', { system: node._('system.label') }));
  $('[data-q2c-copy]').on('click', ({ currentTarget }) => {
    const text = $(currentTarget).attr('data-q2c-copy') ?? '';
    RED.clipboard.copyText(text, $(currentTarget), node._('tenant.copied'));
  });
}

/** What the open form says, else what is saved: the editor validates with the saved values of other fields. */
function formValue(node: ConnectionNode, property: 'environment' | 'auth'): string {
  const open = $(`${prefix}-environment`).data('q2cNode') === node.id;
  return open ? String($(`${prefix}-${property}`).val()) : node[property];
}

function showFields(node: ConnectionNode): void {
  const simulated = formValue(node, 'environment') === 'simulator';
  const scheme = formValue(node, 'auth');
  $('#q2c-real').toggle(!simulated);
  $('#q2c-simulator-help').toggle(simulated);
  $('#q2c-scheme-help').text(isVariable(scheme) ? '' : node._(`scheme.${scheme}.help`));
  $('[data-q2c-schemes]').each((_, row) => {
    const schemes = $(row).attr('data-q2c-schemes')?.split(' ') ?? [];
    // Whichever scheme a variable holds, its fields must be there to be filled in.
    $(row).toggle(schemes.includes(scheme) || isVariable(scheme));
  });
}
