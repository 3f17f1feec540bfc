/** The editor takes a credential of which it does not know that it was never set for a change at every save. */
export function markUnsetCredentials({ credentials = {}, _def }: EditorNode): void {
  for (const [name, { type }] of Object.entries(_def.credentials ?? {})) {
    if (type === 'password') credentials[`has_${name}`] ??= false;
    else credentials[name] ??= '';
  }
}
