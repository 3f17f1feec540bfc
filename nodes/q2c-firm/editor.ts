import { type FirmSummary, summariseFirm } from '../_shared/editor/firm-summary';
import { defaults, type FirmProperties } from './types';

/** Of the open form; there is at most one form of this type open. */
let editor: CodeEditor | undefined;

RED.nodes.registerType<FirmProperties>('q2c-firm', {
  category: 'config',
  color: '#C5B3D6',
  icon: 'q2c-firm.svg',
  defaults: {
    name: { value: defaults.name },
    data: {
      value: defaults.data,
      validate(value, _options) {
        const read = summariseFirm(value);
        return 'summary' in read || this._(read.problem.key, read.problem.values);
      },
    },
  },
  label() {
    return this.name || this._('label');
  },
  oneditprepare() {
    const input = $('#node-config-input-data');
    const opened = RED.editor.createEditor({
      id: 'q2c-firm-editor',
      mode: 'ace/mode/json',
      value: this.data,
    });
    opened.on('change', () => {
      input.val(opened.getValue()).trigger('change');
      show(this);
    });
    editor = opened;
    show(this);
  },
  oneditsave: closeEditor,
  oneditcancel: closeEditor,
  oneditdelete: closeEditor,
  oneditresize({ height }) {
    const rest = $('#dialog-form > .form-row').not(':last').get();
    const used = rest.reduce((sum, row) => sum + ($(row).outerHeight(true) ?? 0), 0);
    $('#q2c-firm-editor').height(Math.max(200, height - used - 80));
    editor?.resize();
  },
});

function closeEditor(): void {
  editor?.destroy();
  editor = undefined;
}

function show(node: EditorNode): void {
  const read = summariseFirm(String($('#node-config-input-data').val()));
  $('#q2c-firm-problem').text('problem' in read ? node._(read.problem.key, read.problem.values) : '');
  if ('summary' in read) showSummary(node, read.summary);
}

/** While the text is wrong the last good summary stays. */
function showSummary(node: EditorNode, { entities, tables }: FirmSummary): void {
  const rows = entities.map(({ name, country, currency, timeZone }) =>
    $('<tr>').append([name, country, currency, timeZone].map((text) => $('<td>').text(text))),
  );
  $('#q2c-firm-entities').empty().append(rows);
  const tags = tables.map((table) => $('<span>').text(node._('table', { ...table })));
  $('#q2c-firm-tables').empty().append(tags);
}
