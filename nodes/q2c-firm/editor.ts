import { type FirmSummary, summariseFirm } from '../_shared/editor/firm-summary';
import { isVariable } from '../_shared/editor/variables';
import { defaults, type FirmProperties } from './types';

/** Of the open form; there is at most one form of this type open. */
let editor: CodeEditor | undefined;

RED.nodes.registerType<FirmProperties>('q2c-firm', {
  category: 'config',
  color: '#B39FCB',
  icon: 'q2c-firm.svg',
  defaults: {
    name: { value: defaults.name },
    data: {
      value: defaults.data,
      validate(value, _options) {
        if (isVariable(value)) return true;
        const read = summariseFirm(value);
        return 'summary' in read || this._(read.problem.key, read.problem.values);
      },
    },
  },
  paletteLabel() {
    return this._('label');
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
  oneditresize() {
    const area = $('#q2c-firm-editor');
    const tray = area.closest('.red-ui-tray-body');
    const bottom = (tray.offset()?.top ?? 0) + (tray.height() ?? 0);
    area.height(Math.max(240, bottom - (area.offset()?.top ?? 0) - 20));
    editor?.resize();
  },
});

function closeEditor(): void {
  editor?.destroy();
  editor = undefined;
}

function show(node: EditorNode): void {
  const text = String($('#node-config-input-data').val());
  const read = isVariable(text) ? { summary: { entities: [], tables: [] } } : summariseFirm(text);
  $('#q2c-firm-problem').text('problem' in read ? node._(read.problem.key, read.problem.values) : '');
  $('#q2c-firm-summary').toggle('summary' in read);
  if ('summary' in read) showSummary(node, read.summary);
}

function showSummary(node: EditorNode, { entities, tables }: FirmSummary): void {
  const rows = entities.map(({ name, country, currency, timeZone }) =>
    $('<tr>').append([name, country, currency, timeZone].map((text) => $('<td>').text(text))),
  );
  $('#q2c-firm-entities').empty().append(rows);
  const tags = tables.map((table) => $('<span>').text(node._('table', { ...table })));
  $('#q2c-firm-tables').empty().append(tags);
}
