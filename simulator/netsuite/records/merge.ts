import { userError } from '../errors';
import type { RecordType, Sublist } from '../schema/fields';
import type { Changes } from './body';
import { type Data, isObject, linesOf } from './data';

/**
 * The record as it will be: fields left out stay, null empties. A sublist named in `replace` is replaced as a
 * whole; otherwise lines that carry the key of an existing line change it and all others are added.
 */
export function merged(type: RecordType, before: Data, changes: Changes, replace: ReadonlySet<string>): Data {
  const draft = withFields(before, changes.fields);
  for (const [name, lines] of Object.entries(changes.sublists)) {
    const sublist = type.sublists[name];
    if (!sublist) continue;
    const old = linesOf(before, name);
    draft[name] = replace.has(name.toLowerCase())
      ? replaced(sublist, old, lines)
      : combined(sublist, old, lines, name);
  }
  return draft;
}

function withFields(before: Data, fields: Data): Data {
  const draft: Data = { ...before };
  for (const [name, value] of Object.entries(fields)) {
    if (value === null) delete draft[name];
    else if (isObject(value)) draft[name] = withFields(isObject(before[name]) ? before[name] : {}, value);
    else draft[name] = value;
  }
  return draft;
}

function combined(sublist: Sublist, old: readonly Data[], lines: readonly Changes[], name: string): Data[] {
  const result = [...old];
  lines.forEach((line, index) => {
    const key = line.fields[sublist.key];
    const at = key === undefined ? -1 : result.findIndex((existing) => existing[sublist.key] === key);
    if (at >= 0) result[at] = withFields(result[at] ?? {}, line.fields);
    else if (key !== undefined && sublist.numbered && old.length > 0) {
      throw userError(
        `Line ${String(key)} does not exist in the sublist ${name}.`,
        `${name}.items[${index}]`,
      );
    } else result.push(numbered(sublist, line, result));
  });
  return result;
}

/** Lines that name the key of an old line keep it, so that links to the line stay valid. */
function replaced(sublist: Sublist, old: readonly Data[], lines: readonly Changes[]): Data[] {
  const oldKeys = new Set(old.map((line) => line[sublist.key]));
  const result: Data[] = [];
  for (const line of lines) {
    const key = line.fields[sublist.key];
    const kept = sublist.numbered && oldKeys.has(key) && !result.some((other) => other[sublist.key] === key);
    if (!kept && sublist.numbered) result.push(numbered(sublist, line, [...old, ...result]));
    else result.push(withFields({}, line.fields));
  }
  return result;
}

function numbered(sublist: Sublist, line: Changes, existing: readonly Data[]): Data {
  const data = withFields({}, line.fields);
  if (sublist.numbered)
    data[sublist.key] = Math.max(0, ...existing.map((other) => Number(other[sublist.key]))) + 1;
  return data;
}
