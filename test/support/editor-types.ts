import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';

/** What a node type is for the editor: a saved node has these properties, and loses all others when it is edited. */
export interface EditorType {
  type: string;
  category: string;
  inputs: number;
  outputs: number;
  /** By name; `type` is that of the configuration node it refers to. */
  defaults: Record<string, { value: unknown; type?: string }>;
  credentials: string[];
}

/** The node types of a built pack, learnt by running its editor scripts. @param dist folder with the html files */
export function editorTypes(dist: string): EditorType[] {
  const found: EditorType[] = [];
  const registerType = (type: string, definition: EditorType) => {
    const { category, inputs = 0, outputs = 0, defaults, credentials = {} } = definition;
    const values = Object.entries(defaults).map(([name, { value, type: refersTo }]) => [
      name,
      { value, ...(refersTo !== undefined && { type: refersTo }) },
    ]);
    found.push({
      ...{ type, category, inputs, outputs },
      defaults: Object.fromEntries(values),
      credentials: Object.keys(credentials),
    });
  };
  const ignore = () => undefined;
  const RED = { nodes: { registerType }, events: { on: ignore }, plugins: { registerPlugin: ignore } };
  for (const file of readdirSync(dist).filter((name) => name.endsWith('.html'))) {
    const html = readFileSync(join(dist, file), 'utf8');
    for (const [, script] of html.matchAll(/<script type="text\/javascript">([\s\S]*?)<\/script>/g)) {
      runInNewContext(String(script), { RED });
    }
  }
  return found;
}
