import { setImmediate } from 'node:timers/promises';
import * as z from 'zod';
import type { Route } from './route';

/** The table of routes as an OpenAPI 3.1 document: whatever a route checks or gives is described by the same schema. */

type Described = Record<string, unknown>;

const DESCRIPTION = `Runs, deals and cases of Quote-to-Cash for Node-RED, for pages and programs. Log in as a user of Node-RED
(\`POST <admin root>/auth/token\`) and send the token as \`Authorization: Bearer\`. Classified fields are masked; whoever has the
permission \`q2c.unmask\` sees them with \`unmask=true\`, which is audited. Refusals are problem documents (RFC 9457) with a
stable \`code\`. 401 also means that a known user lacks the permission.`;

export async function openApiDocument(
  routes: readonly Route[],
  version: string,
  server: string,
): Promise<Described> {
  const schemas = new Map<string, Described>();
  const paths: Record<string, Record<string, Described>> = {};
  for (const route of routes) {
    const path = route.path.replace(/:(\w+)/g, '{$1}');
    paths[path] ??= {};
    paths[path][route.method] = operationOf(route, schemas);
    // All schemas in one piece would hold up whatever else the host does.
    await setImmediate();
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Quote-to-Cash for Node-RED', version, description: DESCRIPTION },
    servers: [{ url: server }],
    security: [{ user: [] }],
    tags: [...new Set(routes.map(({ tag }) => tag))].map((name) => ({ name })),
    paths,
    components: {
      schemas: { ...Object.fromEntries([...schemas].sort(([a], [b]) => (a < b ? -1 : 1))), Problem: PROBLEM },
      securitySchemes: { user: { type: 'http', scheme: 'bearer' } },
    },
  };
}

const PROBLEM = {
  type: 'object',
  required: ['type', 'title', 'status', 'detail', 'code'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    code: { type: 'string' },
  },
};

const refused = (description: string): Described => ({
  description,
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
});

function operationOf(route: Route, schemas: Map<string, Described>): Described {
  const isAction = route.method !== 'get' && route.reply.kind === 'json';
  const parameters = [
    ...[...route.path.matchAll(/:(\w+)/g)].map(([, name]) => inPath(name ?? '')),
    ...queryOf(route, schemas),
    queryParameter('store', 'Id of the store node; without it the only or first one'),
    ...(route.hasPayload ? [queryParameter('unmask', 'Show what is classified', ['true', 'false'])] : []),
    ...(isAction ? [header('Idempotency-Key', 'The same key with the same request is done once')] : []),
    ...(route.isConditional ? [header('If-Match', 'ETag that the run or case came with')] : []),
    ...(route.method === 'get' && route.reply.kind === 'json'
      ? [header('If-None-Match', 'ETag of what is known already')]
      : []),
  ];
  return {
    operationId: route.id,
    tags: [route.tag],
    summary: route.summary,
    'x-permission': route.permission,
    parameters,
    ...(route.body === null
      ? {}
      : {
          requestBody: {
            required: true,
            content: { 'application/json': { schema: schemaOf(route.body, 'input', schemas) } },
          },
        }),
    responses: {
      ...responseOf(route, schemas),
      401: { description: 'Not logged in, or without the permission' },
      default: refused('Refused; `code` says why'),
    },
  };
}

function responseOf({ reply, method }: Route, schemas: Map<string, Described>): Described {
  if (reply.kind === 'text') {
    const content = reply.types.map((type) => [type, { schema: { type: 'string' } }]);
    return { 200: { description: 'A document', content: Object.fromEntries(content) } };
  }
  const schema = schemaOf(reply.schema, 'output', schemas);
  if (reply.kind === 'stream') {
    return { 200: { description: 'As it happens', content: { [reply.type]: { schema } } } };
  }
  return {
    [reply.status ?? 200]: {
      description: 'Done',
      ...(method === 'get' ? { headers: { ETag: { schema: { type: 'string' } } } } : {}),
      content: { 'application/json': { schema } },
    },
    ...(method === 'get' ? { 304: { description: 'As known' } } : {}),
  };
}

const inPath = (name: string): Described => ({
  name,
  in: 'path',
  required: true,
  schema: { type: 'string' },
});

const header = (name: string, description: string): Described => ({
  name,
  in: 'header',
  description,
  schema: { type: 'string' },
});

const queryParameter = (name: string, description: string, values?: string[]): Described => ({
  name,
  in: 'query',
  description,
  schema: { type: 'string', ...(values && { enum: values }) },
});

function queryOf({ query }: Route, schemas: Map<string, Described>): Described[] {
  if (query === null) return [];
  return Object.entries(query.shape as Record<string, z.ZodType>).map(([name, schema]) => {
    const { description, ...described } = schemaOf(schema, 'output', schemas);
    return {
      name,
      in: 'query',
      required: !schema.safeParse(undefined).success,
      ...(description === undefined ? {} : { description }),
      ...(described.type === 'array' ? { style: 'form', explode: false } : {}),
      schema: described,
    };
  });
}

const NAMED = '#/$defs/';

/** The schema as JSON Schema; named parts of it are collected, and referred to. */
function schemaOf(schema: z.ZodType, io: 'input' | 'output', schemas: Map<string, Described>): Described {
  const whole = z.toJSONSchema(schema, { target: 'draft-2020-12', io, unrepresentable: 'any' });
  const {
    $schema: _,
    $defs,
    ...described
  } = JSON.parse(JSON.stringify(whole).replaceAll(`"${NAMED}`, '"#/components/schemas/')) as Described & {
    $defs?: Record<string, Described>;
  };
  for (const [name, part] of Object.entries($defs ?? {})) {
    const { id: _id, ...body } = part;
    schemas.set(name, body);
  }
  const { id, ...body } = described;
  if (typeof id !== 'string') return body;
  if (!('$ref' in body)) schemas.set(id, body);
  return { $ref: `#/components/schemas/${id}` };
}
