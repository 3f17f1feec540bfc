import { createRouter, createWebHashHistory } from 'vue-router';
import { t } from './i18n';

/**
 * Addresses are kept behind `#`: the console can stand below any path of any proxy, and the host serves one page. Filters
 * are part of the address, so that a view can be handed on and the back button undoes a filter.
 */
export const router = createRouter({
  history: createWebHashHistory(),
  routes: [
    { path: '/', name: 'overview', component: () => import('./pages/OverviewPage.vue') },
    { path: '/deals', name: 'deals', component: () => import('./pages/DealsPage.vue') },
    { path: '/deals/:id', name: 'deal', component: () => import('./pages/DealPage.vue'), props: true },
    { path: '/runs', name: 'runs', component: () => import('./pages/RunsPage.vue') },
    { path: '/runs/:id', name: 'run', component: () => import('./pages/RunPage.vue'), props: true },
    { path: '/cases', name: 'cases', component: () => import('./pages/CasesPage.vue') },
    { path: '/cases/:id', name: 'case', component: () => import('./pages/CasePage.vue'), props: true },
    { path: '/work', name: 'work', component: () => import('./pages/WorkPage.vue') },
    { path: '/systems', name: 'systems', component: () => import('./pages/SystemsPage.vue') },
    { path: '/tokens', name: 'tokens', component: () => import('./pages/TokensPage.vue') },
    { path: '/audit', name: 'audit', component: () => import('./pages/AuditPage.vue') },
    { path: '/:rest(.*)*', name: 'missing', component: () => import('./pages/MissingPage.vue') },
  ],
});

const titles: Record<string, string> = {
  overview: t.nav.overview,
  deals: t.nav.deals,
  deal: t.nav.deals,
  runs: t.nav.runs,
  run: t.nav.runs,
  cases: t.nav.cases,
  case: t.nav.cases,
  work: t.work.title,
  systems: t.nav.systems,
  tokens: t.tokens.title,
  audit: t.nav.audit,
};

router.afterEach((to, from) => {
  const title = titles[String(to.name)];
  document.title = title === undefined ? t.app : `${title} · ${t.app}`;
  // Who hears the page is taken to its new content; a filter changes only the list.
  if (to.path !== from.path && from.matched.length > 0) document.getElementById('content')?.focus();
});
