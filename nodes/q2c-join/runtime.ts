import type { Node, NodeAPI, NodeDef } from 'node-red';
import type { ExpectedBranch } from '../../lib/engine';
import { Q2cError } from '../../lib/model';
import { branchesInto, branchIn } from '../_shared/flow-graph';
import { host } from '../_shared/host';
import { type InputContext, onInput } from '../_shared/input';
import { BranchConflict, mergeBranches } from '../_shared/merge-branches';
import { dealOrNone, type Q2cMessage } from '../_shared/message';
import type { NodeTypes } from '../_shared/node-types';
import { stableId } from '../_shared/stable-id';
import type { JoinProperties } from './types';

/**
 * Brings branches of a run together: one message goes on when all have come. What has come is kept for as long as the
 * passage of the run lasts, in memory (docs/decisions/0025).
 */
export default function nodeTypes(RED: NodeAPI): NodeTypes {
  function Join(this: Node, config: NodeDef & JoinProperties) {
    RED.nodes.createNode(this, config);
    const release = host.tellBranchesApart();
    const wired = host.perDeploy(() => branchesInto(RED, this));

    onInput(this, {
      RED,
      store: config.store,
      label: 'All branches are through',
      readInput: async ({ payload }) => dealOrNone(payload),
      handle: async (context) => {
        const expected = expectedBranches(config.branches, wired);
        const { engine, msg, node, runId } = context;
        const { branches, isResumption, repeatable } = engine.underWay(runId);
        const branch = branchIn(msg.q2c?.via ?? '', stableId(this));
        const isOfEarlierFork = isResumption && repeatable && !msg.q2c?.forks?.length;
        const of = msg._msgid ?? '';
        const come = branches.arrive({ node, of, branch, expected, message: msg, isOfEarlierFork });
        if (come === null) return null;
        if (come === 'repeated') {
          return disagree(context, `“${nameOf(branch, expected)}” has sent more than one message`);
        }
        const messages = inOrder(come, expected);
        try {
          return merged(messages, branches.stateAtFork(messages.map(({ q2c }) => q2c?.forks ?? [])));
        } catch (error) {
          if (!(error instanceof BranchConflict)) throw error;
          return disagree(context, `its branches say different things about ${error.place}`);
        }
      },
    });
    this.on('close', (done: () => void) => {
      release();
      done();
    });
  }

  return { 'q2c-join': Join };
}

/** @param wired the branches that are wired into the node */
function expectedBranches(
  setting: string,
  wired: () => readonly ExpectedBranch[],
): readonly ExpectedBranch[] {
  const text = (setting ?? '').trim();
  if (text === '') return wired();
  if (!/^[1-9]\d{0,2}$/.test(text)) {
    throw new Q2cError(
      'CONFIG_MISSING',
      `Branches: "${text}" is not a number of branches. Enter one, or nothing.`,
    );
  }
  return Array.from({ length: Number(text) }, () => ({ id: '', name: '' }));
}

const nameOf = (branch: string, expected: readonly ExpectedBranch[]): string =>
  expected.find(({ id }) => id === branch)?.name || branch || 'A branch';

/** As the branches are in the flow, whichever was the faster: what goes on must be the same each time. */
function inOrder(come: ReadonlyMap<string, object>, expected: readonly ExpectedBranch[]): Q2cMessage[] {
  const place = (branch: string) => expected.findIndex(({ id }) => id === branch);
  const branches = [...come].toSorted(([a], [b]) => place(a) - place(b) || (a < b ? -1 : 1));
  return branches.map(([, message]) => message as Q2cMessage);
}

/** The payload is merged; of everything else, the first branch that has it says what it is. */
function merged(messages: readonly Q2cMessage[], before: unknown): Q2cMessage {
  const one: Q2cMessage = Object.assign({}, ...messages.toReversed());
  const { forks: _, via: __, ...run } = Object.assign({}, ...messages.map(({ q2c }) => q2c).toReversed());
  const waited = Math.max(...messages.map(({ q2c }) => q2c?.waited ?? 0));
  const payload = mergeBranches(
    before,
    messages.map((message) => message.payload),
  );
  return { ...one, payload, q2c: { ...run, ...(waited > 0 && { waited }) } };
}

function disagree({ engine, runId, node, deal, msg }: InputContext, reason: string): Promise<never> {
  const document = deal.opportunity?.name ?? deal.customer?.legalName ?? 'The message';
  return engine.fail(runId, [
    {
      node,
      code: 'BRANCHES_DISAGREE',
      subject: deal.opportunity?.id ?? msg.q2c?.correlationId ?? runId,
      about: { params: { document, node: node.name, reason }, ownerRole: 'integration_ops' },
      detail: { reason },
    },
  ]);
}
