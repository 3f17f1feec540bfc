import type { ConnectionTestReply } from '../connection-test';

/**
 * The "Test connection" part of a form: `#q2c-test`, `#q2c-test-help`, `#q2c-checks`. The test runs in the host with
 * what is deployed there; the secrets never come back into the editor.
 */
export function prepareTest(node: EditorNode): void {
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
function failure(node: EditorNode, { status, responseJSON }: JQuery.jqXHR): Check {
  const message = responseJSON?.detail ?? node._('connection.testFailed', { status });
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
