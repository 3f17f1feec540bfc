import type { NodeAPI } from 'node-red';
import type { Zones } from '../../lib/observe';
import type { FirmNode } from './firm-node';

/** Time zones of the legal entities of all firms that are set up; what is of none has the first one's, else the host's. */
export function firmZones(RED: NodeAPI): Zones {
  const zones = new Map<string, string>();
  RED.nodes.eachNode(({ id, type }) => {
    if (type !== 'q2c-firm') return;
    const firm = (RED.nodes.getNode(id) as FirmNode | null)?.firm;
    if (firm === undefined || firm instanceof Error) return;
    for (const { id: legalEntity, timeZone } of firm.legalEntities) zones.set(legalEntity, timeZone);
  });
  const [first = Intl.DateTimeFormat().resolvedOptions().timeZone] = zones.values();
  return { firm: first, legalEntities: Object.fromEntries(zones) };
}
