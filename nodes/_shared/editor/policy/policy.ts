import type { CasePolicy } from '../../../../lib/rules/case-policy';
import { byId, download, element, upload } from '../mapping/dom';
import { prepareCalendars } from './calendars';
import { amounts, choice, labelled, numberField, showProblems, tags, textField } from './fields';
import type { PolicyProblem } from './problems';
import { prepareRules } from './rules';
import { type PolicyState, readPolicy } from './state';
import {
  amountTexts,
  asOptions,
  calendarOptions,
  orNothing,
  problemText,
  roleOptions,
  severityOptions,
  tagTexts,
} from './words';

/** The table of the case policy: the firm's own, or greyed the usual one, which can be overridden. */
export function preparePolicy(state: PolicyState): void {
  const { text } = state;
  prepareRules(state);
  prepareCalendars(state);

  state.onChange(() => {
    const { isOwn, trouble } = state;
    byId('q2c-policy-trouble').textContent = trouble === null ? '' : text(`policyTrouble.${trouble}`);
    byId('q2c-policy').hidden = trouble !== null;
    byId('q2c-policy-usual').hidden = isOwn;
    byId('q2c-policy-back').hidden = !isOwn;
    byId('q2c-policy-rule-add').hidden = !isOwn;
    byId('q2c-policy').classList.toggle('q2c-greyed', !isOwn);
    byId('q2c-policy-version-row').replaceChildren(...versionFields(state));
    byId('q2c-policy-otherwise').replaceChildren(...otherwiseFields(state));
    byId('q2c-policy-second').replaceChildren(...secondPersonFields(state));
    byId<HTMLFieldSetElement>('q2c-policy-fields').disabled = !isOwn;
  });
  state.onCheck((problems) => showAll(state, problems));

  byId('q2c-policy-override').onclick = () =>
    state.replace({ ...structuredClone(state.catalogue.usual), version: `${new Date().getFullYear()}-1` });
  byId('q2c-policy-back').onclick = () => state.replace(null);
  byId('q2c-policy-export').onclick = () =>
    download('case-policy.json', JSON.stringify(state.policy, null, 2), 'application/json');
  byId('q2c-policy-import').onclick = () =>
    upload(byId<HTMLInputElement>('q2c-policy-file'), (json) => take(state, json));
}

function take(state: PolicyState, json: string): void {
  let policy: CasePolicy | null = null;
  try {
    policy = readPolicy(JSON.parse(json));
  } catch {
    // Said as any other file that holds no policy.
    policy = null;
  }
  if (policy === null) RED.notify(state.text('policyTrouble.file'), 'error');
  else state.replace(policy);
}

function showAll(state: PolicyState, problems: readonly PolicyProblem[]): void {
  const inWords = (problem: PolicyProblem) => problemText(state, problem);
  for (const row of document.querySelectorAll<HTMLElement>('[data-q2c-problems]')) {
    const prefix = row.dataset.q2cProblems ?? '';
    const own = problems.filter(({ path }) => path.startsWith(prefix));
    row.classList.toggle('q2c-wrong', own.length > 0);
    row.title = own.map(inWords).join(' ');
  }
  // A rule or a calendar that is not open has no fields on screen.
  const hidden = showProblems(byId('q2c-policy'), problems, inWords);
  byId('q2c-policy-problems').replaceChildren(
    ...hidden.map((problem) => element('div', {}, `${problem.path}: ${inWords(problem)}`)),
  );
}

function versionFields(state: PolicyState): HTMLElement[] {
  const { policy, text } = state;
  return [
    labelled(
      text('policyVersion'),
      'version',
      textField(policy.version, (value) => {
        policy.version = value;
        state.changed(false);
      }),
    ),
  ];
}

function otherwiseFields(state: PolicyState): HTMLElement[] {
  const { text, policy } = state;
  const { otherwise } = policy;
  const onBreach = (key: 'severity' | 'escalateTo', value: string) => {
    const { [key]: _, ...others } = otherwise.onBreach;
    otherwise.onBreach = (value === '' ? others : { ...others, [key]: value }) as typeof otherwise.onBreach;
    state.changed(false);
  };
  const nothing = text('nothing');
  return [
    labelled(
      text('then.calendar'),
      'otherwise.calendar',
      choice(calendarOptions(state), otherwise.calendar, (value) => {
        otherwise.calendar = value;
        state.changed(false);
      }),
    ),
    ...(['critical', 'error', 'warning'] as const).map((severity) =>
      labelled(
        text('hoursFor', { severity: text(`severity.${severity}`) }),
        `otherwise.slaHours.${severity}`,
        numberField(otherwise.slaHours[severity], (value) => {
          otherwise.slaHours[severity] = value ?? Number.NaN;
          state.changed(false);
        }),
      ),
    ),
    labelled(
      text('then.breachSeverity'),
      'otherwise.onBreach.severity',
      choice(orNothing(severityOptions(state), nothing), otherwise.onBreach.severity ?? '', (value) =>
        onBreach('severity', value),
      ),
    ),
    labelled(
      text('then.breachRole'),
      'otherwise.onBreach.escalateTo',
      choice(orNothing(roleOptions(state), nothing), otherwise.onBreach.escalateTo ?? '', (value) =>
        onBreach('escalateTo', value),
      ),
    ),
  ];
}

function secondPersonFields(state: PolicyState): HTMLElement[] {
  const { text, policy, catalogue } = state;
  const { secondPerson } = policy;
  const list = (name: 'financialEntities' | 'financialCodes' | 'always', offered: readonly string[]) =>
    labelled(
      text(`second.${name}`),
      `secondPerson.${name}`,
      tags(secondPerson[name], asOptions(offered), tagTexts(state), (values) => {
        Object.assign(secondPerson, { [name]: values });
        state.changed(false);
      }),
    );
  return [
    list('financialEntities', catalogue.entities),
    list('financialCodes', catalogue.codes),
    labelled(
      text('second.thresholds'),
      'secondPerson.thresholds',
      amounts(secondPerson.thresholds, amountTexts(state), (values) => {
        secondPerson.thresholds = values;
        state.changed(false);
      }),
    ),
    list('always', catalogue.actions),
  ];
}
