import type { PreviewReply, RecentDeal } from '../../../q2c-mapping/replies';
import { byId, element, fillSelect, whileOpen } from './dom';
import type { MappingState } from './state';

/** How long typing may pause before the preview follows, in milliseconds. */
const PAUSE_MS = 300;

/** Shows what the set as it stands in the form would make of a deal. The host does the mapping. */
export function prepareTryOut(state: MappingState, json: () => string): void {
  const stage = byId<HTMLSelectElement>('q2c-try-stage');
  const deal = byId<HTMLSelectElement>('q2c-try-deal');
  const legalEntity = byId<HTMLInputElement>('q2c-try-entity');
  const { text } = state;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let asked = 0;

  fillSelect(
    stage,
    state.catalogue.stages.map(({ stage: value, label, direction }) => ({
      value,
      label: text(`stage.${direction}`, { system: label }),
    })),
    byId<HTMLSelectElement>('q2c-mapping-stage').value,
  );
  fillSelect(deal, [{ value: '', label: text('sample') }]);
  $.ajax({ url: 'q2c/mapping/deals' }).done(
    whileOpen((deals: RecentDeal[]) => {
      const recent = deals.map(({ run, title, createdAt }) => ({
        value: run,
        label: `${title} (${new Date(createdAt).toLocaleString()})`,
      }));
      fillSelect(deal, [{ value: '', label: text('sample') }, ...recent]);
    }),
  );

  const ask = whileOpen(() => {
    const number = ++asked;
    const body = {
      data: json(),
      stage: stage.value,
      ...(deal.value === '' ? {} : { run: deal.value }),
      ...(legalEntity.value.trim() === '' ? {} : { legalEntity: legalEntity.value.trim() }),
    };
    $.ajax({
      url: 'q2c/mapping/preview',
      method: 'POST',
      contentType: 'application/json',
      data: JSON.stringify(body),
    })
      .done((reply: PreviewReply) => answered(number, () => show(reply)))
      .fail(({ status, responseJSON }) =>
        answered(number, () => showProblems([responseJSON?.title ?? text('tryFailed', { status })])),
      );
  });

  /** An answer that was overtaken by a later question is no longer true. */
  const answered = whileOpen((number: number, use: () => void) => {
    if (number === asked) use();
  });

  const show = ({ version, invalid, values, problems, unmapped }: PreviewReply) => {
    byId('q2c-mapping-version').textContent = version ?? '';
    showProblems(invalid === null ? problems.map(({ message }) => message) : [invalid]);
    const body = byId('q2c-try-values');
    body.replaceChildren(
      ...values.map(({ entity, index, target, before, after, origin, byDefault }) =>
        element(
          'tr',
          { class: shown(before) === shown(after) ? undefined : 'q2c-changed' },
          element(
            'td',
            {},
            `${entity}${index > 0 ? ` ${index + 1}` : ''}.${target.replace(/^extensions\.[^.]+\./, '')}`,
          ),
          element('td', {}, shown(before)),
          element('td', {}, shown(after)),
          element(
            'td',
            {},
            origin === null ? text('noRule') : byDefault ? text('byDefault', { layer: origin }) : origin,
          ),
        ),
      ),
    );
    byId('q2c-try-none').hidden = values.length > 0 || problems.length > 0;
    byId('q2c-try-unmapped').textContent =
      unmapped.length === 0
        ? ''
        : text('unmapped', { fields: unmapped.map(({ entity, path }) => `${entity}.${path}`).join(', ') });
  };

  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(ask, PAUSE_MS);
  };
  for (const select of [stage, deal]) select.onchange = ask;
  legalEntity.oninput = later;
  byId('node-config-input-data').addEventListener('q2c-changed', later);
  later();
}

function showProblems(messages: readonly string[]): void {
  const items = [...new Set(messages)].map((message) => element('li', {}, message));
  byId('q2c-try-problems').replaceChildren(...items);
}

const shown = (value: unknown): string =>
  value === undefined || value === null ? '' : typeof value === 'string' ? value : JSON.stringify(value);
