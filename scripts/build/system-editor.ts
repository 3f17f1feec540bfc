import type { FieldSpec, SystemManifest } from '../../lib/systems/kit/types.ts';
import { type ConnectionField, commonFields, connectionFields, parameterFields } from './fields.ts';

/** A system that tells nothing by itself has no events node. */
export function hasEvents({ events }: SystemManifest): boolean {
  return Object.keys(events).length > 0;
}

/**
 * Source of a generated set's editor script. Types, colours, icons and the names of all properties are
 * written out: the Flow Library reads them from the built file without running it.
 */
export function systemEditor(name: string, manifest: SystemManifest): string {
  const types = [connectionType(name, manifest), operationType(name, manifest)];
  if (hasEvents(manifest)) types.push(eventsType(name, manifest));
  return `import * as connection from './nodes/_system/connection/editor';
import { defaults as connectionDefaults } from './nodes/_system/connection/types';
import * as operation from './nodes/_system/operation/editor';
import { defaults as operationDefaults } from './nodes/_system/operation/types';
import * as events from './nodes/_system/events/editor';
import { defaults as eventsDefaults } from './nodes/_system/events/types';
import { fillDefaults } from './nodes/_shared/editor/defaults';
import * as validators from './nodes/_shared/editor/validators';

const operations = ${json(requiredParameters(manifest))};
const eventIds = ${json(Object.keys(manifest.events))};

fillDefaults(['${name}', '${name}-connection', '${name}-events']);

${types.join('\n\n')}
`;
}

function connectionType(name: string, manifest: SystemManifest): string {
  const fields = connectionFields(manifest);
  const described = new Set(fields.map(({ spec }) => spec.id));
  const common = commonFields.filter(({ id }) => !described.has(id)).map((spec) => ({ spec, schemes: null }));
  const secrets = fields.filter(({ spec }) => spec.secret);
  const plain = [...fields.filter(({ spec }) => !spec.secret), ...common];
  return `RED.nodes.registerType('${name}-connection', {
  category: 'config',
  color: ${json(manifest.color)},
  icon: '${name}.svg',
  defaults: {
    name: { value: connectionDefaults.name },
    environment: { value: connectionDefaults.environment, validate: validators.oneOf(${json(Object.keys(manifest.limits))}) },
    auth: { value: ${json(manifest.auth[0]?.id)}, validate: validators.oneOf(${json(manifest.auth.map(({ id }) => id))}) },
    ${plain.map((field) => `${field.spec.id}: { value: ${json(field.spec.default ?? '')}${validation(field)} },`).join('\n    ')}
  },
  credentials: {
    ${secrets.map((field) => `${field.spec.id}: { type: 'password'${validation(field)} },`).join('\n    ')}
  },
  paletteLabel() {
    return this._('connection.paletteLabel', { system: this._('system.label') });
  },
  label() {
    return connection.label(this);
  },
  oneditprepare() {
    connection.prepare(this);
  },
});`;
}

function validation({ spec, schemes }: ConnectionField): string {
  if (spec.required) return `, validate: connection.needed(${json(schemes)})`;
  return spec.type === 'number' ? ', validate: validators.wholeNumberOrEmpty' : '';
}

function operationType(name: string, manifest: SystemManifest): string {
  const [entity, first] = Object.entries(manifest.entities)[0] ?? [];
  const property = ({ id, default: value }: FieldSpec) =>
    `${id}: { value: ${json(value ?? '')}, validate: operation.neededParameter('${id}', operations) },
    ${id}Type: { value: 'str' },`;
  return `RED.nodes.registerType('${name}', {
  category: 'q2c_systems',
  color: ${json(manifest.color)},
  icon: '${name}.svg',
  inputs: 1,
  outputs: 1,
  defaults: {
    name: { value: operationDefaults.name },
    connection: { value: operationDefaults.connection, type: '${name}-connection', required: true },
    store: { value: operationDefaults.store, type: 'q2c-store', required: true },
    firm: { value: operationDefaults.firm, type: 'q2c-firm', required: false },
    entity: { value: ${json(entity)}, validate: operation.knownEntity(operations) },
    verb: { value: ${json(Object.keys(first?.operations ?? {})[0])}, validate: operation.knownVerb(operations) },
    input: { value: operationDefaults.input, required: true },
    inputType: { value: operationDefaults.inputType },
    ${parameterFields(manifest).map(property).join('\n    ')}
  },
  paletteLabel() {
    return this._('system.label');
  },
  inputLabels() {
    return this._('operation.inputLabel');
  },
  outputLabels() {
    return this._('operation.outputLabel');
  },
  label() {
    return operation.label(this);
  },
  labelStyle() {
    return this.name ? 'node_label_italic' : '';
  },
  oneditprepare() {
    operation.prepare(this, operations);
  },
});`;
}

function eventsType(name: string, manifest: SystemManifest): string {
  return `RED.nodes.registerType('${name}-events', {
  category: 'q2c_systems',
  color: ${json(manifest.color)},
  icon: '${name}.svg',
  inputs: 0,
  outputs: 1,
  defaults: {
    name: { value: eventsDefaults.name },
    connection: { value: eventsDefaults.connection, type: '${name}-connection', required: true },
    store: { value: eventsDefaults.store, type: 'q2c-store', required: true },
    event: { value: ${json(Object.keys(manifest.events)[0])}, validate: validators.oneOf(eventIds) },
    interval: { value: eventsDefaults.interval, validate: validators.wholeNumber },
    startAt: { value: eventsDefaults.startAt, validate: validators.instantOrEmpty },
    concurrency: { value: eventsDefaults.concurrency, validate: validators.wholeNumber },
  },
  paletteLabel() {
    return this._('events.paletteLabel', { system: this._('system.label') });
  },
  outputLabels() {
    return this._('events.outputLabel');
  },
  label() {
    return events.label(this);
  },
  labelStyle() {
    return this.name ? 'node_label_italic' : '';
  },
  oneditprepare() {
    events.prepare(this, eventIds);
  },
});`;
}

/** Entity → verb → ids of the parameters that must be filled in. */
function requiredParameters({ entities }: SystemManifest): Record<string, Record<string, string[]>> {
  return mapValues(entities, ({ operations }) =>
    mapValues(operations, ({ parameters }) =>
      (parameters ?? []).filter(({ required }) => required).map(({ id }) => id),
    ),
  );
}

function mapValues<T, R>(record: Record<string, T>, map: (value: T) => R): Record<string, R> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));
}

function json(value: unknown): string {
  return JSON.stringify(value);
}
