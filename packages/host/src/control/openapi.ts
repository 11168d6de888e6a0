import * as z from 'zod';
import { VERSION } from '../version.ts';
import { STATUS } from './answers.ts';
import { routes } from './routes.ts';
import type { Route } from './route.ts';
import { namedSchemas } from './views.ts';

/**
 * The control API's description, made from the routes and the schemas that check their requests.
 * @see https://spec.openapis.org/oas/v3.1.1.html
 */
export function describeApi(): Json {
  const inputs = jsonSchemas('input');
  const outputs = jsonSchemas('output');
  const paths: Record<string, Record<string, Json>> = {};
  for (const route of routes) {
    const operations = (paths[route.path] ??= {});
    operations[route.method.toLowerCase()] = describeRoute(route, inputs, outputs);
  }
  return {
    openapi: '3.1.1',
    info: {
      title: 'Polyvisor control API',
      version: VERSION,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    security: [{ token: [] }],
    paths,
    components: {
      schemas: { ...pickNamed(outputs), GuestSpec: inputs['GuestSpec'] },
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: 'Printed at the start' },
      },
    },
  };
}

type Json = Record<string, unknown>;

/**
 * JSON Schemas by name: those of `namedSchemas`, which refer to each other, and those of the routes
 * (`listGuests.answer`).
 * @param io whether fields with defaults may be missing (what is sent) or are there (what comes back)
 */
function jsonSchemas(io: 'input' | 'output'): Record<string, Json> {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(namedSchemas)) registry.add(schema, { id });
  for (const { id, query, body, answer } of routes) {
    for (const [part, schema] of Object.entries({ query, body, answer })) {
      if (schema !== undefined && !registry.has(schema))
        registry.add(schema, { id: `${id}.${part}` });
    }
  }
  const { schemas } = z.toJSONSchema(registry, { io, uri: (id) => `#/components/schemas/${id}` });
  for (const schema of Object.values(schemas)) {
    // They are parts of one document.
    delete schema.$id;
    delete schema.$schema;
  }
  return schemas;
}

function pickNamed(schemas: Record<string, Json>): Record<string, Json> {
  return Object.fromEntries(Object.keys(namedSchemas).map((id) => [id, schemas[id] as Json]));
}

function describeRoute(
  route: Route,
  inputs: Record<string, Json>,
  outputs: Record<string, Json>,
): Json {
  const { body } = route;
  const parameters = [...pathParameters(route), ...queryParameters(route, inputs)];
  return {
    operationId: route.id,
    summary: route.summary,
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined
      ? {}
      : { requestBody: content('application/json', schemaOf(route, 'body', body, inputs)) }),
    responses: { ...describeAnswer(route, outputs), default: ERROR_ANSWER },
  };
}

function describeAnswer(route: Route, outputs: Record<string, Json>): Json {
  if (route.answer === undefined) return { '204': { description: 'Done' } };
  const schema = schemaOf(route, 'answer', route.answer, outputs);
  const type = route.stream === undefined ? 'application/json' : STREAM_TYPES[route.stream];
  const description = route.stream === undefined ? 'Done' : 'A stream of these';
  return { [String(route.status ?? 200)]: { description, ...content(type, schema) } };
}

export const STREAM_TYPES = {
  ndjson: 'application/x-ndjson',
  events: 'text/event-stream',
} as const satisfies Record<NonNullable<Route['stream']>, string>;

const ERROR_ANSWER: Json = {
  description: `Statuses by code: ${Object.entries(STATUS)
    .map(([code, status]) => `${code} ${status}`)
    .join(', ')}; all others 400`,
  ...content('application/json', reference('Error')),
};

function content(type: string, schema: Json): Json {
  return { content: { [type]: { schema } } };
}

function reference(id: string): Json {
  return { $ref: `#/components/schemas/${id}` };
}

/** A named schema is referred to; another is written out. */
function schemaOf(
  route: Route,
  part: 'body' | 'answer',
  schema: z.ZodType,
  schemas: Record<string, Json>,
): Json {
  const name = Object.keys(namedSchemas).find((id) => namedSchemas[id] === schema);
  return name === undefined ? (schemas[`${route.id}.${part}`] as Json) : reference(name);
}

function pathParameters({ path }: Route): Json[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
}

function queryParameters(route: Route, inputs: Record<string, Json>): Json[] {
  const { properties = {} } = (inputs[`${route.id}.query`] ?? {}) as { properties?: Json };
  return Object.entries(properties).map(([name, schema]) => ({ name, in: 'query', schema }));
}
