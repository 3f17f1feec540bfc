import type { SimRequest } from '../kit/types';
import type { Data } from './account';
import { badRequest } from './errors';
import { isObject } from './values';

/** Reads a request body: JSON, or the nested form encoding of Rails (`story[title]=…&story[assignee_ids][]=5`). */
export function readBody(request: SimRequest): Data {
  if (request.body.trim() === '') return {};
  if ((request.headers['content-type'] ?? '').includes('application/x-www-form-urlencoded')) {
    return readForm(new URLSearchParams(request.body));
  }
  let parsed: unknown;
  try {
    parsed = JSON.parse(request.body);
  } catch (error) {
    if (error instanceof SyntaxError) throw badRequest('There was a problem in the JSON you submitted');
    throw error;
  }
  if (!isObject(parsed)) throw badRequest('The request body must be a JSON object');
  return parsed;
}

function readForm(form: URLSearchParams): Data {
  const root: Data = {};
  for (const [name, value] of form) put(root, [name.split('[')[0] ?? '', ...keysOf(name)], value);
  return root;
}

/** `a[b][][c]` → `b`, ``, `c`; an empty key is an array. */
const keysOf = (name: string): string[] => [...name.matchAll(/\[([^\]]*)\]/g)].map((match) => match[1] ?? '');

function put(target: Data, [key = '', next, ...rest]: string[], value: string): void {
  if (key === '__proto__') return;
  if (next === undefined) {
    target[key] = value;
  } else if (next === '') {
    const array: unknown[] = Array.isArray(target[key]) ? target[key] : [];
    target[key] = array;
    putElement(array, rest, value);
  } else {
    const child = isObject(target[key]) ? target[key] : {};
    target[key] = child;
    put(child, [next, ...rest], value);
  }
}

/** A key that the last element has already starts the next element, as in Rails. */
function putElement(array: unknown[], keys: string[], value: string): void {
  if (keys.length === 0) {
    array.push(value);
    return;
  }
  const last = array.at(-1);
  if (isObject(last) && !(keys[0] !== undefined && keys[0] in last)) put(last, keys, value);
  else {
    const element: Data = {};
    array.push(element);
    put(element, keys, value);
  }
}
