/**
 * At most `max` characters, the last one an ellipsis when something is missing. Characters, not UTF-16 units: a cut
 * must not leave half of one.
 */
export function shortened(text: string, max: number): string {
  const characters = [...text];
  return characters.length <= max ? text : `${characters.slice(0, max - 1).join('')}…`;
}
