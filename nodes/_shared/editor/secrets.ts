/** The editor takes a secret of which it does not know that it was never set for a change at every save. */
export function markUnsetSecrets({ credentials = {}, _def }: EditorNode): void {
  for (const name of Object.keys(_def.credentials ?? {})) credentials[`has_${name}`] ??= false;
}
