import type { DispatchedRun, Engine, IntakeBatch } from '../../../lib/engine';

/** An event of a CRM for `accept`. */
export const won = (
  id: string,
  record: string,
  more: Partial<IntakeBatch['events'][number]> = {},
): IntakeBatch => ({
  sourceNode: 'source',
  system: 'crm',
  instance: 'org',
  source: '/q2c/test/crm',
  events: [
    {
      id,
      type: 'q2c.opportunity.won.v1',
      time: new Date(Date.now() - 3_000).toISOString(),
      subject: { entity: 'opportunity', type: 'Opportunity', id: record },
      title: `Deal of Secret GmbH ${record}`,
      data: { name: `Deal of Secret GmbH ${record}` },
      ...more,
    },
  ],
});

/** Makes a node of a flow that does some work for each run, and ends it as a flow does. */
export function flowOf(
  engine: Engine,
  work: (run: DispatchedRun) => Promise<unknown>,
  sourceNode = 'source',
): void {
  engine.registerSource(sourceNode, 4, (run) => {
    const active = engine.activeRun(run.id);
    if (active === undefined) throw new Error(`run ${run.id} is not under way`);
    engine.messageEntered(active);
    work(run)
      .catch((error: Error & { code?: string }) =>
        engine.errorRaised(active, {
          node: { id: 'n1', name: 'Customer' },
          message: error.message,
          code: error.code ?? null,
        }),
      )
      .finally(() => engine.messageLeft(active, 'n1'));
  });
}
