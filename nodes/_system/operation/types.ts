/**
 * Node `q2c-<system>`: one operation of the system. Besides these there is one property per operation
 * parameter of the manifest, under the parameter's id (parameters of the same id share the property), and its type of
 * typed input under the id with `Type` behind it.
 */
export interface OperationProperties {
  name: string;
  /** Id of a `q2c-<system>-connection` node. */
  connection: string;
  /** Id of a `q2c-store` node. */
  store: string;
  /** Id of a `q2c-firm` node. */
  firm: string;
  /** Key of `manifest.entities`. */
  entity: string;
  /** Key of the entity's `operations`. */
  verb: string;
  /** Typed input: where the deal document is. */
  input: string;
  inputType: 'msg' | 'flow' | 'global' | 'jsonata';
}

/** Where the value of a parameter comes from. */
export const parameterTypes = ['str', 'msg', 'flow', 'global', 'env', 'jsonata'] as const;

/** The build puts the manifest's first entity and its first verb into `entity` and `verb`. */
export const defaults: OperationProperties = {
  name: '',
  connection: '',
  store: '',
  firm: '',
  entity: '',
  verb: '',
  input: 'payload',
  inputType: 'msg',
};
