import type { ConnectionProperties, ConnectionTestReply } from './types';

type ConnectionNode = EditorNode & ConnectionProperties;

const prefix = '#node-config-input';

export function label(node: ConnectionNode): string {
  return node.name || `${node._('system.label')} (${node._(`connection.${node.environment}`)})`;
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
  $(`${prefix}-environment`).data('q2cNode', node.id);
  $(`${prefix}-environment, ${prefix}-auth`).on('change', () => showFields(node));
  showFields(node);
  markUnsetSecrets(node);
  prepareTest(node);
}

/** The editor takes a secret of which it does not know that it was never set for a change at every save. */
function markUnsetSecrets({ credentials = {}, _def }: ConnectionNode): void {
  for (const name of Object.keys(_def.credentials ?? {})) credentials[`has_${name}`] ??= false;
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
  $('#q2c-scheme-help').text(node._(`scheme.${scheme}.help`));
  $('[data-q2c-schemes]').each((_, row) => {
    $(row).toggle($(row).attr('data-q2c-schemes')?.split(' ').includes(scheme) ?? false);
  });
}

/** The test runs in the host with what is deployed there; the secrets never come back into the editor. */
function prepareTest(node: ConnectionNode): void {
  const deployed = RED.nodes.node(node.id) !== null && !node.changed;
  const button = $('#q2c-test').prop('disabled', !deployed);
  $('#q2c-test-help').text(node._(deployed ? 'connection.testHelp' : 'connection.testUndeployed'));
  button.on('click', () => {
    button.prop('disabled', true);
    showChecks([]);
    $.ajax({ url: `q2c/connections/${encodeURIComponent(node.id)}/test`, method: 'POST' })
      .done((reply: ConnectionTestReply) => showChecks(reply.checks))
      .fail((request) => showChecks([failure(node, request)]))
      .always(() => button.prop('disabled', false));
  });
}

type Check = ConnectionTestReply['checks'][number];

/** The host's own words if it gave any. */
function failure(node: ConnectionNode, { status, responseJSON }: JQuery.jqXHR): Check {
  const message = responseJSON?.title ?? node._('connection.testFailed', { status });
  return { id: 'request', label: node._('connection.test'), ok: false, message };
}

function showChecks(checks: Check[]): void {
  const items = checks.map(({ label: text, ok, message }) =>
    $('<li>')
      .append($('<i>').addClass(ok ? 'fa fa-check q2c-ok' : 'fa fa-times q2c-failed'))
      .append(document.createTextNode(message ? ` ${text}: ${message}` : ` ${text}`)),
  );
  $('#q2c-checks').empty().append(items);
}
