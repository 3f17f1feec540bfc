/**
 * Runs inside a JavaScript context of its own, beside the JSONata interpreter: compiled expressions and documents stay
 * there, and only JSON goes in and out, so an expression can neither change a deal nor reach the host.
 */
export const PROGRAM = `'use strict';
const compiled = new Map();
const documents = new Map();
let answer = null;

/** What differs from one evaluation to the next would make a repeated run write other content. */
function impure(name) {
  return () => { throw { message: '$' + name + '() gives another value at every run; take a date of the deal instead' }; };
}

function compile(id, text) {
  try {
    compiled.set(id, jsonata(text));
    return null;
  } catch (error) {
    return JSON.stringify({ message: error.message, position: error.position });
  }
}

function hold(key, json) {
  documents.set(key, JSON.parse(json));
}

function tableOf({ tables, aliases }) {
  return (table, key) => {
    const text = String(key);
    for (const entries of tables.flatMap((each) => each[table] || [])) {
      for (const name of [text, ...Object.keys(aliases).map((alias) => text.replace(alias, aliases[alias]))]) {
        if (Object.hasOwn(entries, name)) return entries[name];
      }
    }
    throw { lookup: { table, key: text } };
  };
}

/** As the interpreter's own, which would fill memory without a chance to break it off. */
function pad(text, width, filling = ' ') {
  if (Math.abs(width) > 10000) throw { message: '$pad() to more than 10000 characters' };
  return width < 0 ? text.padStart(-width, filling) : text.padEnd(width, filling);
}

async function one(document, id, entity, index) {
  const { deal, records } = document;
  const record = entity === null ? deal : records[entity][index];
  const bindings = { deal, table: tableOf(document), pad };
  for (const name of ['now', 'millis', 'random', 'shuffle']) bindings[name] = impure(name);
  try {
    const value = await compiled.get(id).evaluate(record, bindings);
    const isFunction = typeof value === 'function' || (value && value._jsonata_lambda);
    return isFunction ? { error: 'it gives a function instead of a value' } : { value };
  } catch (error) {
    return error.lookup ? { lookup: error.lookup } : { error: String(error.message || error) };
  }
}

async function work(key, jobs) {
  const results = [];
  for (const job of jobs) results.push(await one(documents.get(key), ...job));
  return JSON.stringify(results);
}

function begin(key, jobs) {
  answer = null;
  work(key, JSON.parse(jobs)).then(
    (text) => { answer = text; },
    (error) => { answer = JSON.stringify(JSON.parse(jobs).map(() => ({ error: String(error && error.message || error) }))); },
  );
}
`;
