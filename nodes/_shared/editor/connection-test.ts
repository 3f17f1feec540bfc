import type { CheckText } from '../../../lib/systems/kit/types';
import type { CheckLine, TestProgress } from '../connection-test';

/**
 * The "Test connection" part of a form: `#q2c-test`, `#q2c-test-help`, `#q2c-checks`. The test runs in the host with
 * what is deployed there; the secrets never come back into the editor.
 */
export function prepareTest(node: EditorNode): void {
  const deployed = RED.nodes.node(node.id) !== null && !node.changed;
  const button = $('#q2c-test').prop('disabled', !deployed);
  $('#q2c-test-help').text(node._(deployed ? 'connection.testHelp' : 'connection.testUndeployed'));
  const cancel = $('<button type="button" class="red-ui-button" id="q2c-test-cancel">')
    .text(node._('connection.cancel'))
    .insertAfter(button)
    .before(document.createTextNode(' '))
    .hide();
  button.on('click', () => {
    button.prop('disabled', true);
    cancel.show();
    const view = new TestView(node);
    const request = runTest(node, view);
    cancel.off('click').on('click', () => request.abort());
    // A form that is closed takes its test with it.
    button.one('remove', () => request.abort());
    request.always(() => {
      button.prop('disabled', false);
      cancel.hide();
    });
  });
}

/** Lines arrive one by one, so that nobody waits for the slowest of them. */
function runTest(node: EditorNode, view: TestView): JQuery.jqXHR<string> {
  let read = 0;
  const take = (text: string) => {
    const end = text.lastIndexOf('\n') + 1;
    for (const line of text.slice(read, end).split('\n')) if (line !== '') view.show(JSON.parse(line));
    read = end;
  };
  const url = `q2c/connections/${encodeURIComponent(node.id)}/test`;
  const xhr = () => {
    const raw = new XMLHttpRequest();
    raw.onprogress = () => take(raw.responseText);
    return raw;
  };
  const request = $.ajax({ url, method: 'POST', dataType: 'text', xhr });
  request.done(take).done(() => view.end());
  request.fail(({ statusText, status, responseText }) => {
    if (statusText === 'abort') view.end();
    else view.fail(reasonIn(responseText) ?? node._('connection.testFailed', { status }));
  });
  return request;
}

/** The host's own words if it gave any. */
function reasonIn(text: string | undefined): string | null {
  try {
    const problem: unknown = JSON.parse(text ?? '');
    const named = typeof problem === 'object' && problem !== null && 'detail' in problem;
    return named && typeof problem.detail === 'string' ? problem.detail : null;
  } catch {
    return null; // not JSON: an answer of something between host and editor
  }
}

const ICONS = {
  waiting: 'fa-circle-o',
  ok: 'fa-check',
  failed: 'fa-times',
  unchecked: 'fa-minus',
} as const;

/** The list of lines with their states, and the sum of them. */
class TestView {
  private readonly list = $('#q2c-checks').empty();
  private readonly rows = new Map<string, JQuery>();
  private readonly counts = { ok: 0, failed: 0, unchecked: 0 };
  private readonly sum: JQuery;

  constructor(private readonly node: EditorNode) {
    this.list.nextAll('.q2c-sum').remove();
    this.sum = $('<div class="q2c-help q2c-sum" role="status">').insertAfter(this.list);
    this.sum.text(node._('connection.testRunning'));
  }

  show(progress: TestProgress): void {
    if ('plan' in progress) for (const line of progress.plan) this.row(line);
    else this.result(progress.check);
  }

  /** The test itself could not be made. */
  fail(message: string): void {
    const label = this.node._('connection.test');
    this.result({ id: 'request', label, state: 'failed', message, advice: '' });
    this.end();
  }

  /** Lines that have no answer by now get none. */
  end(): void {
    for (const row of this.rows.values())
      if (row.attr('data-state') === 'waiting') this.mark(row, 'unchecked');
    this.sum.text(this.node._('connection.testSum', this.counts));
  }

  private row(line: Pick<CheckLine, 'id' | 'label' | 'line'>): JQuery {
    const known = this.rows.get(line.id);
    if (known !== undefined) return known;
    const label = line.line?.key ? this.node._(`check.line.${line.line.key}`, line.line.values) : line.label;
    const row = $('<li data-state="waiting">')
      .append($('<i>').addClass(`fa ${ICONS.waiting}`), document.createTextNode(' '))
      .append($('<span class="q2c-check-label">').text(label))
      .appendTo(this.list);
    this.rows.set(line.id, row);
    return row;
  }

  private result(check: CheckLine): void {
    const row = this.row(check);
    this.mark(row, check.state);
    const { problem, advice } = this.texts(check);
    if (problem !== '') row.append(document.createTextNode(`: ${problem}`));
    if (advice !== '') row.append($('<div class="q2c-advice">').text(advice));
  }

  private mark(row: JQuery, state: keyof TestView['counts']): void {
    this.counts[state] += 1;
    row.attr('data-state', state);
    const icon = row.children('i').attr('class', `fa ${ICONS[state]}`);
    icon.attr({ role: 'img', 'aria-label': this.node._(`connection.state.${state}`) });
  }

  /** In the editor's language where the host says it by keys, else as the host says it. */
  private texts({ findings, message, advice }: CheckLine): { problem: string; advice: string } {
    if (findings === undefined || findings.length === 0) return { problem: message, advice };
    const all = (part: 'problem' | 'advice') =>
      findings
        .map(({ key, values }: CheckText) => this.node._(`check.finding.${key}.${part}`, values))
        .filter((text) => text !== '')
        .join(' ');
    return { problem: all('problem'), advice: all('advice') };
  }
}
