import type { Browser, Page } from 'playwright-core';
import type { CasePolicy } from '../../lib/rules';
import { defaults } from '../../nodes/q2c-firm/types';
import { Editor, launchBrowser } from '../support/browser';
import { type FlowNode, Host } from '../support/host';

/** The case policy as a table in the form of a firm. */

jest.setTimeout(120_000);

declare const RED: { nodes: { node(id: string): { data: string } } };

const FIRM: FlowNode = { id: 'firm000000000001', type: 'q2c-firm', name: 'Ours', data: defaults.data };
const { casePolicy: shipped, ...withoutPolicy } = JSON.parse(defaults.data) as { casePolicy: CasePolicy };
const PLAIN: FlowNode = {
  ...FIRM,
  id: 'firm000000000002',
  name: 'Plain',
  data: JSON.stringify(withoutPolicy),
};

let host: Host;
let browser: Browser;
let editor: Editor;
let page: Page;

beforeAll(async () => {
  [host, browser] = await Promise.all([Host.start(), launchBrowser()]);
  await host.deploy([{ id: 'tab', type: 'tab', label: 'Flow' }, FIRM, PLAIN]);
  editor = await Editor.open(browser, host.url);
  page = editor.page;
}, 180_000);

afterEach(() => expect(editor.errors).toEqual([]));

afterAll(async () => {
  await browser?.close();
  await host?.dispose();
});

const rows = () => page.locator('#q2c-policy-rules tr');
const saved = async ({ id }: FlowNode): Promise<{ casePolicy?: CasePolicy }> =>
  JSON.parse(await page.evaluate((each) => RED.nodes.node(each).data, id));
const field = (name: string) => page.locator('#q2c-policy').getByLabel(name, { exact: true });
const problemAt = (path: string) => page.locator(`[data-q2c-problem="${path}"]`);

async function openPolicy(node: FlowNode, within = editor): Promise<void> {
  await within.openForm(node);
  await within.page.locator('#q2c-tab-policy').click();
  await within.page.locator('#q2c-policy-rules tr').first().waitFor();
}

test('rules are put in order by dragging and by the keyboard, changed in their fields, and saved', async () => {
  await openPolicy(FIRM);
  const order = async () =>
    (await rows().locator('td:nth-child(2)').allTextContents()).map((text) => text.slice(0, 24));
  const [first = '', second = '', third = '', fourth = ''] = await order();
  await rows().nth(3).focus();
  await page.keyboard.press('Alt+ArrowUp');
  expect(await order()).toEqual([first, second, fourth, third]);
  expect(
    await rows()
      .nth(2)
      .evaluate((row) => row === document.activeElement),
  ).toBe(true);
  await rows().nth(0).dragTo(rows().nth(1));
  expect(await order()).toEqual([second, first, fourth, third]);

  await rows().nth(1).focus();
  await page.keyboard.press('Enter');
  await field('Working hours until it is late').fill('soon');
  await problemAt('rules.1.slaHours').getByText('A number greater than 0').waitFor();
  expect(await rows().nth(1).getAttribute('class')).toContain('q2c-wrong');
  expect(await field('Working hours until it is late').first().getAttribute('aria-invalid')).toBe('true');
  await editor.screenshot('case-policy-problem');
  await field('Working hours until it is late').fill('3');
  await problemAt('rules.1.slaHours').getByText('A number').waitFor({ state: 'hidden' });
  await page
    .locator('#q2c-policy-rule')
    .getByLabel('Owner', { exact: true })
    .selectOption('finance_controller');

  await page.locator('#q2c-policy-rule-add').click();
  await page.keyboard.type('TAX_MISMATCH');
  await page.keyboard.press('Enter');
  await page.keyboard.type('NO_SUCH');
  await page.keyboard.press('Enter');
  await problemAt('rules.4.when.codes').getByText('“NO_SUCH” is not known.').waitFor();
  await page.getByRole('button', { name: 'Remove: NO_SUCH' }).click();
  await problemAt('rules.4.when.codes').getByText('NO_SUCH').waitFor({ state: 'hidden' });
  await editor.saveForm();

  const { casePolicy } = await saved(FIRM);
  const [one, two, three, four] = shipped.rules;
  expect(casePolicy?.rules).toEqual([
    two,
    { ...one, slaHours: 3, ownerRole: 'finance_controller' },
    four,
    three,
    { when: { codes: ['TAX_MISMATCH'] } },
  ]);
});

test('working time is changed with its time zone, days off and closes; what is wrong is said there', async () => {
  await openPolicy(FIRM);
  await page.locator('#q2c-policy-calendars').getByLabel('Name', { exact: true }).fill('hamburg');
  await page.keyboard.press('Tab');
  await field('Time zone').fill('Hamburg');
  await problemAt('calendars.hamburg.timeZone').getByText('A time zone such as Europe/Berlin.').waitFor();
  await field('Time zone').fill('Europe/Berlin');
  await field('Monday').fill('09:00-12:00, 11:00-17:00');
  await problemAt('calendars.hamburg.hours.mon').getByText('In order').waitFor();
  await field('Monday').fill('09:00-12:00, 13:00-17:00');
  await page.getByRole('button', { name: 'Add a fiscal close' }).click();
  const close = page.locator('.q2c-close').last();
  await close.getByLabel('From').fill('2027-01-30');
  await close.getByLabel('To').fill('2027-01-01');
  await problemAt('calendars.hamburg.fiscalCloses.1.to').getByText('It ends before it begins.').waitFor();
  await close.getByLabel('To').fill('2027-02-01');
  await close.getByLabel('Effect').selectOption('tighten');
  await page.locator('.q2c-close').last().getByLabel('Percent of the time').fill('25');
  await editor.screenshot('case-policy-calendar');
  await editor.saveForm();
  const { casePolicy } = await saved(FIRM);
  expect(casePolicy?.otherwise.calendar).toBe('hamburg');
  expect(casePolicy?.calendars.hamburg).toMatchObject({
    hours: { mon: ['09:00-12:00', '13:00-17:00'] },
    fiscalCloses: [{}, { from: '2027-01-30', to: '2027-02-01', effect: 'tighten', percent: 25 }],
  });
});

test('the usual policy is greyed until it is overridden; the JSON of the set-up has the same', async () => {
  await openPolicy(PLAIN);
  await page.getByText('Without a policy of your own this usual one holds.').waitFor();
  expect(await page.locator('#q2c-policy-otherwise select').first().isDisabled()).toBe(true);
  expect(await page.locator('#q2c-policy-rule-add').isVisible()).toBe(false);
  await editor.screenshot('case-policy-usual');
  await page.locator('#q2c-policy-override').click();
  expect(await page.locator('#q2c-policy-otherwise select').first().isDisabled()).toBe(false);
  await editor.saveForm();
  expect((await saved(PLAIN)).casePolicy?.rules).toHaveLength(3);

  await openPolicy(PLAIN);
  await page.locator('#q2c-policy-back').click();
  await editor.saveForm();
  expect(await saved(PLAIN)).toEqual(withoutPolicy);
});

test('a policy is exported and imported as JSON; a file of something else is refused', async () => {
  await openPolicy(PLAIN);
  const [exported] = await Promise.all([
    page.waitForEvent('download'),
    page.locator('#q2c-policy-export').click(),
  ]);
  expect(exported.suggestedFilename()).toBe('case-policy.json');
  const give = (text: string) =>
    page
      .locator('#q2c-policy-file')
      .setInputFiles({ name: 'p.json', mimeType: 'application/json', buffer: Buffer.from(text) });
  await page.locator('#q2c-policy-import').click();
  await give('{"rules": []}');
  await page.getByText('The file holds no case policy.').first().waitFor();
  await page.locator('#q2c-policy-import').click();
  await give(JSON.stringify({ ...shipped, version: 'imported' }));
  await rows().nth(3).waitFor();
  await editor.saveForm();
  expect((await saved(PLAIN)).casePolicy).toMatchObject({ version: 'imported', rules: shipped.rules });
});

test.each([
  ['light', 0, 'en-US'],
  ['dark', 0, 'de'],
  ['light', 280, 'fr'],
  ['dark', 280, 'ja'],
] as const)('nothing is wider than the form: %s, %i px, %s', async (theme, width, locale) => {
  const other = await Editor.open(browser, host.url, {
    theme,
    locale,
    viewport: { width: 1280, height: 1600 },
  });
  await openPolicy(FIRM, other);
  await other.page.locator('#q2c-policy-rules tr').nth(1).click();
  const tooWide = await other.page.locator('.q2c-firm').evaluate((form, narrow) => {
    if (narrow > 0) Object.assign(form.style, { width: `${narrow}px`, minWidth: '0' });
    const right = form.getBoundingClientRect().right + 1;
    return Array.from(form.querySelectorAll('*'))
      .filter((part) => part.getBoundingClientRect().right > right)
      .map((part) => part.outerHTML.slice(0, 120));
  }, width);
  await other.screenshot(`case-policy-${theme}-${width}-${locale}`);
  expect(tooWide).toEqual([]);
  expect(other.errors).toEqual([]);
  await other.close();
});
