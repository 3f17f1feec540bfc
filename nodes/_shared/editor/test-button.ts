import type { TestReply } from '../test-reply';

/**
 * The button “Test connection” of a form (`#q2c-test`, `#q2c-test-help`, `#q2c-checks`). The test runs in the host with
 * what is deployed there; the secrets never come back into the editor.
 *
 * @param url of the test, relative to the admin root
 */
export function prepareTest(node: EditorNode, url: string): void {
  const deployed = RED.nodes.node(node.id) !== null && !node.changed;
  const button = $('#q2c-test').prop('disabled', !deployed);
  $('#q2c-test-help').text(node._(deployed ? 'test.help' : 'test.undeployed'));
  button.on('click', () => {
    button.prop('disabled', true);
    showChecks([]);
    $.ajax({ url, method: 'POST' })
      .done((reply: TestReply) => showChecks(reply.checks))
      .fail((request) => showChecks([failure(node, request)]))
      .always(() => button.prop('disabled', false));
  });
}

type Check = TestReply['checks'][number];

/** The host's own words if it gave any. */
function failure(node: EditorNode, { status, responseJSON }: JQuery.jqXHR): Check {
  const message = responseJSON?.title ?? node._('test.failed', { status });
  return { id: 'request', label: node._('test.button'), ok: false, message };
}

function showChecks(checks: Check[]): void {
  const items = checks.map(({ label: text, ok, message }) =>
    $('<li>')
      .append($('<i>').addClass(ok ? 'fa fa-check q2c-ok' : 'fa fa-times q2c-failed'))
      .append(document.createTextNode(message ? ` ${text}: ${message}` : ` ${text}`)),
  );
  $('#q2c-checks').empty().append(items);
}
