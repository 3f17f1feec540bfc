import { byId } from './dom';

/** Sections of a form of which one is shown: arrow keys move between their tabs. */
export function prepareTabs(list: string): void {
  const tabs = [...byId(list).querySelectorAll<HTMLButtonElement>('[role=tab]')];
  const show = (chosen: HTMLButtonElement) => {
    for (const tab of tabs) {
      const isChosen = tab === chosen;
      tab.setAttribute('aria-selected', String(isChosen));
      tab.tabIndex = isChosen ? 0 : -1;
      byId(tab.getAttribute('aria-controls') ?? '').hidden = !isChosen;
    }
  };
  for (const [at, tab] of tabs.entries()) {
    tab.onclick = () => show(tab);
    tab.onkeydown = ({ key }) => {
      const step = key === 'ArrowRight' ? 1 : key === 'ArrowLeft' ? -1 : 0;
      const next = tabs[(at + step + tabs.length) % tabs.length];
      if (step === 0 || next === undefined) return;
      show(next);
      next.focus();
    };
  }
  if (tabs[0]) show(tabs[0]);
}
