import { Follower } from './follower';

/**
 * Sidebar tab: runs under way and open cases of the flow on screen. A click selects the node that stopped; a link opens the
 * case in the console. Names and messages come from outside and are only ever shown as text.
 */

interface Case {
  id: string;
  message: string;
  deal: string;
  severity: string;
  amountAtRisk: { amount: string; currency: string } | null;
  node: { id: string; name: string };
}

interface Run {
  id: string;
  title: string;
  state: string;
  createdAt: string;
}

interface Page<T> {
  items: T[];
  next: string | null;
}

const MOST = 50;
const MOST_NODES = 400;
const UNDER_WAY = 'queued,running,waiting,parked,cancelling';

class Tab {
  private looks = 0;

  constructor(
    private readonly content: JQuery,
    private readonly text: (key: string, values?: Record<string, string | number>) => string,
  ) {}

  /**
   * Asks the host, and shows the answer unless a later look has begun.
   * @returns false when there is nothing that could change: no node, or no store
   */
  async look(): Promise<boolean> {
    const look = ++this.looks;
    const nodes = idsOnScreen();
    // Without one the host has nothing to tell, and each question would be an error in the browser's log.
    if (!isStoreDeployed()) {
      this.content.empty().append(this.note('noStore'));
      return false;
    }
    if (nodes.length === 0) {
      this.content.empty().append(this.note('nothing'));
      return false;
    }
    const filter = { nodeId: nodes.join(','), limit: MOST };
    try {
      const [cases, runs] = await Promise.all([
        ask<Page<Case>>('q2c/api/v1/cases', filter),
        ask<Page<Run>>('q2c/api/v1/runs', { sourceNode: nodes.join(','), state: UNDER_WAY, limit: MOST }),
      ]);
      if (look === this.looks) this.show(cases, runs);
    } catch (error) {
      if (look !== this.looks) return true;
      const { status } = error as JQuery.jqXHR;
      this.content
        .empty()
        .append(this.note(status === 401 ? 'mayNot' : status === 404 ? 'noStore' : 'failed'));
      return status !== 401 && status !== 404;
    }
    return true;
  }

  private show(cases: Page<Case>, runs: Page<Run>): void {
    const focused = document.activeElement?.getAttribute('data-q2c') ?? null;
    this.content
      .empty()
      .append(
        this.heading('cases', cases),
        cases.items.length === 0
          ? this.note('noCases')
          : $('<ul>').append(cases.items.map((each) => this.case(each))),
        this.heading('runs', runs),
        runs.items.length === 0
          ? this.note('noRuns')
          : $('<ul>').append(runs.items.map((each) => this.run(each))),
        this.link('q2c/', this.text('console')),
      );
    // What is shown anew must not take the keyboard away.
    if (focused !== null) this.content.find(`[data-q2c="${CSS.escape(focused)}"]`).trigger('focus');
  }

  private heading<T>(key: string, { items, next }: Page<T>): JQuery {
    const count = next === null ? String(items.length) : `${items.length}+`;
    return $('<h4>').text(this.text(key, { count }));
  }

  private case(each: Case): JQuery {
    const { node, amountAtRisk } = each;
    const select = $('<button type="button" class="q2c-sidebar-select">')
      .attr('data-q2c', each.id)
      .attr('title', this.text('select', { node: node.name }))
      .append($('<strong>').text(node.name), $('<span>').text(each.message))
      .on('click', () => this.select(node.id));
    const facts = [this.text(`severity.${each.severity}`), each.deal];
    if (amountAtRisk !== null) facts.push(moneyText(amountAtRisk));
    return $('<li>').append(
      select,
      $('<div class="q2c-sidebar-facts">').text(facts.join(' · ')),
      this.link(`q2c/#/cases/${encodeURIComponent(each.id)}`, this.text('open')),
    );
  }

  private select(id: string): void {
    const node = RED.nodes.node(id);
    if (node === null) {
      RED.notify(this.text('gone'), 'warning');
      return;
    }
    RED.view.reveal(id);
    RED.view.select({ nodes: [node] });
  }

  private run(each: Run): JQuery {
    const time = new Date(each.createdAt).toLocaleTimeString(RED.i18n.lang());
    return $('<li>').append(
      this.link(`q2c/#/runs/${encodeURIComponent(each.id)}`, each.title || each.id),
      $('<div class="q2c-sidebar-facts">').text(`${this.text(`state.${each.state}`)} · ${time}`),
    );
  }

  private note(key: string): JQuery {
    return $('<p class="q2c-sidebar-note">').text(this.text(key));
  }

  /** Addresses are relative: the editor may stand below any path. */
  private link(address: string, label: string): JQuery {
    return $('<a target="_blank" rel="noreferrer">').attr({ href: address, 'data-q2c': address }).text(label);
  }
}

/** The editor adds the token to requests by relative address. */
const ask = <T>(url: string, data: Record<string, string | number>): Promise<T> =>
  Promise.resolve($.ajax({ url, data, dataType: 'json' }));

/** Events need the token too, which `EventSource` could not send. */
function connect(signal: AbortSignal): Promise<Response> {
  const token = RED.settings.get<{ access_token: string }>('auth-tokens')?.access_token;
  const headers: HeadersInit = token === undefined ? {} : { Authorization: `Bearer ${token}` };
  return fetch('q2c/api/v1/events', { headers, signal });
}

/** As the user of the editor writes amounts. The decimal text is never made a number, so no digit is lost. */
function moneyText({ amount, currency }: { amount: string; currency: string }): string {
  const style = { style: 'currency', currency, currencyDisplay: 'code' } as const;
  return new Intl.NumberFormat(RED.i18n.lang(), style).format(amount as Intl.StringNumericLiteral);
}

function isStoreDeployed(): boolean {
  let found = false;
  RED.nodes.eachConfig(({ type, changed }) => {
    found ||= type === 'q2c-store' && changed !== true;
    return true;
  });
  return found;
}

/** Nodes of the flow on screen; of a very large one ours first, as an address cannot be of any length. */
function idsOnScreen(): string[] {
  const nodes = RED.nodes.filterNodes({ z: RED.workspaces.active() });
  const rank = ({ type }: { type: string }) => (type.startsWith('q2c-') ? 0 : 1);
  return [...nodes]
    .sort((a, b) => rank(a) - rank(b))
    .slice(0, MOST_NODES)
    .map(({ id }) => id);
}

RED.plugins.registerPlugin('q2c-sidebar', {
  onadd() {
    const text = (key: string, values?: Record<string, string | number>) => this._(key, values);
    // The host loads its part of the pack now, and not with the first deploy (docs/decisions/0024).
    $.ajax({ url: 'q2c/setup' });
    const content = $('<div class="q2c-sidebar">').attr('aria-live', 'polite');
    const tab = new Tab(content, text);
    RED.actions.add('q2c:show-sidebar', () => RED.sidebar.show('q2c'));
    RED.sidebar.addTab({
      id: 'q2c',
      label: text('label'),
      name: text('name'),
      iconClass: 'fa fa-exchange',
      action: 'q2c:show-sidebar',
      enableOnEdit: true,
      content: content[0] as HTMLElement,
    });
    const follower = new Follower(() => tab.look(), connect);
    const watch = () => follower.setWatched(!document.hidden && content.is(':visible'));
    // Told whenever the tab is shown or hidden, and when the sidebar is.
    new IntersectionObserver(watch).observe(content[0] as HTMLElement);
    document.addEventListener('visibilitychange', watch);
    RED.events.on('workspace:change', () => content.is(':visible') && void tab.look());
  },
});
