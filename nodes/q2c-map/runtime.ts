import type { Node, NodeAPI, NodeDef } from 'node-red';
import type { NewCase } from '../../lib/engine';
import type { MappingProblem } from '../../lib/mapping';
import type { Firm } from '../../lib/rules';
import { recordMappingVersion } from '../../lib/store';
import { amountAtRisk } from '../_shared/amount-at-risk';
import { caseFacts } from '../_shared/case-facts';
import { optionalFirm } from '../_shared/firm-node';
import { type InputContext, onInput, requireConfig } from '../_shared/input';
import { legalEntityKeyIn, type MappingNode, requireMapping } from '../_shared/mapping-node';
import type { NodeTypes } from '../_shared/node-types';
import { partsOf } from '../q2c-mapping/types';
import { defaults, type MapProperties } from './types';

/** Maps a deal by the firm's mapping set. Pure: a repeated run of the same version maps the same. */
export default function nodeTypes(RED: NodeAPI): NodeTypes {
  function MapNode(this: Node, config: NodeDef & MapProperties) {
    RED.nodes.createNode(this, config);
    /** Versions that the store knows. */
    const recorded = new Set<string>();

    onInput(this, {
      RED,
      store: config.store,
      label: 'Map',
      handle: async (context) => {
        const { msg, deal, engine } = context;
        const mapping = requireMapping(RED, config.mapping);
        const firm = optionalFirm(RED, config.firm);
        const { system, direction } = partsOf(config.stage ?? defaults.stage);
        const mapped = await mapping.map({
          deal,
          system,
          direction,
          legalEntityKey: legalEntityKeyIn(firm),
          firmTables: firm?.lookups[system] ?? {},
        });
        if (mapped.problems.length > 0)
          return engine.fail(context.runId, casesOf(context, mapped.problems, firm, system));
        if (!msg.q2c?.dryRun && !recorded.has(mapping.version)) {
          const { content } = requireConfig<MappingNode>(RED, config.mapping, 'mapping set', 'q2c-mapping');
          await recordMappingVersion(engine.store, {
            version: mapping.version,
            setId: config.mapping,
            content,
          });
          recorded.add(mapping.version);
        }
        msg.payload = mapped.deal;
        if (msg.q2c) msg.q2c = { ...msg.q2c, mapping: { set: config.mapping, version: mapping.version } };
        return msg;
      },
    });
  }

  return { 'q2c-map': MapNode };
}

/** One case for each record and code, which says all that is wrong there: a second one would replace its message. */
function casesOf(
  { node, deal, runId }: InputContext,
  problems: readonly MappingProblem[],
  firm: Firm | null,
  system: string,
): NewCase[] {
  const groups = Map.groupBy(problems, ({ code, subject }) => `${code}|${subject ?? ''}`);
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const { code, params, ownerRole, entity } = first;
    return {
      node,
      code,
      subject: first.subject ?? deal.opportunity?.id ?? runId,
      message: [...new Set(group.map(({ message }) => message))].join(' '),
      about: {
        params,
        ownerRole,
        ...amountAtRisk(deal),
        ...caseFacts(deal, firm, { system, ...(entity === undefined ? {} : { entity }) }),
      },
    };
  });
}
