/**
 * The part of the editor's `RED` global that our forms use. The published types lag behind the editor
 * (validators that return a message, the JSON editor's markers), so what we rely on is written here.
 */

interface EditorNode {
  readonly id: string;
  readonly type: string;
  /** True after an edit that is not deployed yet. */
  readonly changed?: boolean;
  /** While the form is open; `has_<name>` tells whether a password is stored. */
  readonly credentials?: Record<string, string | boolean>;
  readonly _def: {
    readonly defaults: Readonly<Record<string, { readonly value: unknown; readonly type?: string }>>;
    readonly credentials?: Readonly<Record<string, { readonly type: 'text' | 'password' }>>;
  };
  /** Text of the node set's own catalogue. */
  _(key: string, values?: Record<string, string | number>): string;
}

/** True, or what is wrong. Must declare two parameters: the editor ignores the text of shorter functions. */
type Validator<P> = (this: EditorNode & P, value: string, options: { label?: string }) => true | string;

interface NodeProperty<P, V> {
  value: V;
  required?: boolean;
  /** Type of the configuration node that the property points to. */
  type?: string;
  label?: string;
  validate?: Validator<P>;
}

interface NodeCredential<P> {
  type: 'text' | 'password';
  validate?: Validator<P>;
}

interface NodeDefinition<P> {
  category: string;
  color?: string;
  icon?: string;
  inputs?: 0 | 1;
  outputs?: number;
  defaults: { [K in keyof P]: NodeProperty<P, P[K]> };
  credentials?: Record<string, NodeCredential<P>>;
  paletteLabel?: string | (() => string);
  inputLabels?: string | (() => string);
  outputLabels?: string | ((index: number) => string);
  label?(): string;
  labelStyle?(): string;
  oneditprepare?(): void;
  oneditsave?(): void;
  oneditcancel?(): void;
  oneditdelete?(): void;
  oneditresize?(size: { width: number; height: number }): void;
}

interface CodeEditor {
  getValue(): string;
  destroy(): void;
  resize(): void;
  on(event: 'change', listener: () => void): void;
}

declare const RED: {
  nodes: {
    registerType<P>(type: string, definition: NodeDefinition<P> & ThisType<EditorNode & P>): void;
    node(id: string): EditorNode | null;
    /** Configuration nodes, until `visit` returns false. */
    eachConfig(visit: (node: EditorNode) => boolean): void;
    /** Nodes of one flow, without configuration nodes. */
    filterNodes(filter: { z: string; type?: string }): EditorNode[];
  };
  plugins: {
    /** `onadd` runs at once; `this._` reads the plugin's own catalogue. */
    registerPlugin(id: string, plugin: { onadd(): void } & ThisType<Pick<EditorNode, '_'>>): void;
  };
  utils: { getNodeLabel(node: EditorNode): string };
  clipboard: {
    /** Copies, and says so in a bubble beside the element. */
    copyText(text: string, element: JQuery, message: string): void;
  };
  sidebar: {
    addTab(tab: {
      id: string;
      label: string;
      name: string;
      iconClass: string;
      action: string;
      enableOnEdit: boolean;
      content: HTMLElement;
      onchange(): void;
    }): void;
    show(id: string): void;
  };
  actions: { add(name: string, action: () => void): void };
  workspaces: {
    /** Id of the flow on screen. */
    active(): string;
  };
  view: {
    reveal(id: string): void;
    select(selection: { nodes: EditorNode[] }): void;
  };
  notify(message: string, kind: 'warning' | 'error' | 'success'): void;
  events: {
    on(event: 'workspace:change', listener: () => void): void;
    on(event: 'nodes:add', listener: (node: EditorNode & Record<string, unknown>) => void): void;
  };
  editor: {
    createEditor(options: { id: string; mode: string; value: string }): CodeEditor;
  };
};

type TypedInputType = string | { value: string; label: string; options: { value: string; label: string }[] };

interface JQuery {
  typedInput(options: { default: string; types: TypedInputType[]; typeField: string }): this;
}
