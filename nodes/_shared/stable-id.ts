/** What identifies a running node; Node-RED's types leave out the fields of nodes inside subflows. */
interface Identified {
  id: string;
  /** Id in the definition of the subflow. */
  _alias?: string;
  /** Ids from the flow over the subflow instances down to the node. */
  _path?: string;
}

/**
 * The id under which a node's runs, steps and cursor are kept. Inside a subflow Node-RED gives a node a new id at each
 * deploy; its path stays the same.
 */
export function stableId(node: object & { id: string }): string {
  const { id, _alias, _path }: Identified = node;
  return _alias === undefined || _path === undefined ? id : _path;
}

/** True for the id of a node inside a subflow: Node-RED cannot look it up. */
export const isInSubflow = (id: string): boolean => id.includes('/');
