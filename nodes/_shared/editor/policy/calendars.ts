import type { WorkingCalendar } from '../../../../lib/rules/case-policy';
import { byId, element } from '../mapping/dom';
import { button, choice, labelled, numberField, problemAt, tags, textField } from './fields';
import { weekdays } from './problems';
import type { PolicyState } from './state';
import { asOptions, calendarOptions, tagTexts } from './words';

type Close = WorkingCalendar['fiscalCloses'][number];

const OFFICE = ['09:00-17:00'];

/** Working time: one calendar at a time, with its hours, days off and closes of the books. */
export function prepareCalendars(state: PolicyState): void {
  const box = byId('q2c-policy-calendars');
  const { text } = state;
  let shown = '';

  const draw = () => {
    const { calendars, otherwise } = state.policy;
    if (!Object.hasOwn(calendars, shown))
      shown = Object.hasOwn(calendars, otherwise.calendar) ? otherwise.calendar : '';
    if (shown === '') shown = Object.keys(calendars)[0] ?? '';
    const calendar = calendars[shown];
    box.replaceChildren(tools(), ...(calendar === undefined ? [] : [fieldset(fieldsOf(calendar))]));
  };

  const fieldset = (fields: HTMLElement[]): HTMLElement =>
    element('fieldset', { disabled: !state.isOwn }, element('div', { class: 'q2c-rule' }, ...fields));

  const tools = (): HTMLElement => {
    // To look at another calendar is no change, and is possible in a policy that cannot be changed.
    const look = (name: string) => {
      shown = name;
      draw();
      state.recheck();
    };
    const chooser = choice(calendarOptions(state), shown, look, { 'aria-label': text('calendar') });
    const add = button('fa-plus', text('addCalendar'), () => {
      shown = unused(text('newCalendar'));
      const timeZone = Intl.DateTimeFormat().resolvedOptions().timeZone;
      state.policy.calendars[shown] = {
        timeZone,
        hours: Object.fromEntries(weekdays.slice(0, 5).map((day) => [day, OFFICE])),
        holidays: [],
        fiscalCloses: [],
      };
      state.changed();
    });
    const remove = button('fa-trash', text('removeCalendar'), () => {
      delete state.policy.calendars[shown];
      state.changed();
    });
    remove.disabled = Object.keys(state.policy.calendars).length < 2;
    return element('div', { class: 'q2c-tools' }, chooser, ...(state.isOwn ? [add, remove] : []));
  };

  const unused = (wanted: string): string => {
    let name = wanted;
    for (let number = 2; Object.hasOwn(state.policy.calendars, name); number++) name = `${wanted} ${number}`;
    return name;
  };

  /** Whoever works by it goes on with it under its new name. */
  const rename = (to: string) => {
    const { policy } = state;
    const from = shown;
    if (to === '' || to === from || Object.hasOwn(policy.calendars, to)) return;
    policy.calendars = Object.fromEntries(
      Object.entries(policy.calendars).map(([name, calendar]) => [name === from ? to : name, calendar]),
    );
    for (const rule of policy.rules) if (rule.calendar === from) rule.calendar = to;
    if (policy.otherwise.calendar === from) policy.otherwise.calendar = to;
    shown = to;
    state.changed();
  };

  const fieldsOf = (calendar: WorkingCalendar): HTMLElement[] => {
    const path = `calendars.${shown}`;
    const name = textField(shown, () => undefined);
    // Only when it is finished: each letter would rename it.
    name.onchange = () => rename(name.value.trim());
    const zone = textField(
      calendar.timeZone,
      (value) => {
        calendar.timeZone = value;
        state.changed(false);
      },
      { list: 'q2c-time-zones' },
    );
    return [
      labelled(text('calendarName'), `${path}.name`, name),
      labelled(text('timeZone'), `${path}.timeZone`, zone),
      element(
        'datalist',
        { id: 'q2c-time-zones' },
        ...Intl.supportedValuesOf('timeZone').map((value) => element('option', { value })),
      ),
      element('h4', { class: 'q2c-wide-row q2c-title' }, text('workingHours')),
      ...weekdays.map((day, index) =>
        labelled(dayName(index), `${path}.hours.${day}`, hoursOf(calendar, day)),
      ),
      element('div', { class: 'q2c-wide-row' }, problemAt(`${path}.hours`)),
      labelled(
        text('holidays'),
        `${path}.holidays`,
        tags(
          calendar.holidays,
          asOptions([]),
          tagTexts(state),
          (dates) => {
            calendar.holidays = dates;
            state.changed(false);
          },
          'date',
        ),
        true,
      ),
      labelled(text('closes'), `${path}.fiscalCloses`, closesOf(calendar, `${path}.fiscalCloses`), true),
    ];
  };

  const hoursOf = (calendar: WorkingCalendar, day: (typeof weekdays)[number]) =>
    textField(
      (calendar.hours[day] ?? []).join(', '),
      (value) => {
        const spans = value
          .split(',')
          .map((span) => span.trim())
          .filter((span) => span !== '');
        if (spans.length === 0) delete calendar.hours[day];
        else calendar.hours[day] = spans;
        state.changed(false);
      },
      { placeholder: text('free') },
    );

  const closesOf = (calendar: WorkingCalendar, path: string): HTMLElement =>
    element(
      'div',
      {},
      ...calendar.fiscalCloses.map((close, at) => closeOf(calendar, close, at, `${path}.${at}`)),
      button('fa-plus', text('addClose'), () => {
        const today = new Date().toISOString().slice(0, 10);
        calendar.fiscalCloses.push({ from: today, to: today, effect: 'pause' });
        state.changed();
      }),
    );

  const closeOf = (calendar: WorkingCalendar, close: Close, at: number, path: string): HTMLElement => {
    const replace = (next: Close, redraw = false) => {
      calendar.fiscalCloses[at] = next;
      state.changed(redraw);
    };
    const current = () => calendar.fiscalCloses[at] ?? close;
    const effects = (['pause', 'tighten'] as const).map((value) => ({
      value,
      label: text(`effect.${value}`),
    }));
    const row = element(
      'div',
      { class: 'q2c-close' },
      labelled(
        text('from'),
        `${path}.from`,
        textField(close.from, (from) => replace({ ...current(), from }), { type: 'date' }),
      ),
      labelled(
        text('to'),
        `${path}.to`,
        textField(close.to, (to) => replace({ ...current(), to }), { type: 'date' }),
      ),
      labelled(
        text('effect.label'),
        `${path}.effect`,
        choice(effects, close.effect, (value) => {
          const { from, to } = current();
          replace(
            value === 'pause' ? { from, to, effect: 'pause' } : { from, to, effect: 'tighten', percent: 50 },
            true,
          );
        }),
      ),
    );
    if (close.effect === 'tighten') {
      const percent = numberField(close.percent, (value) => {
        const { from, to } = current();
        replace({ from, to, effect: 'tighten', percent: value ?? Number.NaN });
      });
      row.append(labelled(text('percent'), `${path}.percent`, percent));
    }
    row.append(
      button('fa-times', text('remove'), () => {
        calendar.fiscalCloses.splice(at, 1);
        state.changed();
      }),
    );
    return row;
  };

  state.onChange(draw);
}

/** Monday is the first; 2024 began with one. */
const dayName = (index: number): string =>
  new Intl.DateTimeFormat(RED.i18n.lang(), { weekday: 'long', timeZone: 'UTC' }).format(
    new Date(Date.UTC(2024, 0, 1 + index)),
  );
