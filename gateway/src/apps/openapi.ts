import { type ErrorCode, errors } from '../errors.ts';
import { bodyForms, errorDetail, parameterForms, type Schema, schemaRef } from './openapi-schemas.ts';
import { apiVersions } from './rest-names.ts';
import type { BodyForm, Route, Style } from './rest-route.ts';

/** Refusals that any call may meet, behind those of the path: what it names, its token, and the state of the service. */
const common: readonly ErrorCode[] = ['request_invalid', 'unauthorized', 'no_answer'];
const takesBody: readonly ErrorCode[] = ['too_large', 'media_type'];

const hubSchema: Schema = { type: 'string', pattern: '^[A-Za-z][A-Za-z0-9_`,.[\\]]{0,127}$' };
const nameSchema: Schema = { type: 'string', minLength: 1 };

const everywhere: readonly Schema[] = [
  parameter('api-version', 'query', { type: 'string', enum: apiVersions }, 'Any of them has every operation.'),
];
const inHubs: readonly Schema[] = [
  parameter('application', 'query', hubSchema, 'The application: its name and _ stand in front of the hub.'),
];

/** The REST API as an OpenAPI 3.1 document: each path of each row, under both prefixes, and nothing else. */
export function openApi(routes: readonly Route[], version: string): Schema {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    for (const { path, method, style, id } of callsOf(route)) {
      const item = paths[path] ?? {};
      paths[path] = { ...item, [method]: operationOf(route, path, style, id) };
    }
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Signalbox REST API', version },
    security: [{ token: [] }],
    paths,
    components: {
      schemas: { ErrorDetail: errorDetail },
      securitySchemes: {
        token: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT',
          description: 'Signed with an access key by HS256 or HS512; its `aud` is the URL of the request.',
        },
      },
    },
  };
}

interface Call {
  readonly path: string;
  /** Lower case. */
  readonly method: string;
  readonly style: Style;
  /** Unique in the document. */
  readonly id: string;
}

const prefixes: readonly (readonly [Style, string])[] = [
  ['dated', '/api/'],
  ['v1', '/api/v1/'],
];

function callsOf({ operation, methods, paths }: Route): readonly Call[] {
  const ways = prefixes.flatMap(([style, prefix]) => paths.map((path) => ({ style, path: prefix + path })));
  return ways
    .flatMap((way) => methods.map((method) => ({ ...way, method: method.toLowerCase() })))
    .map((call, at) => ({ ...call, id: at === 0 ? operation : `${operation}_${at + 1}` }));
}

function operationOf(route: Route, path: string, style: Style, id: string): Schema {
  const { doc, kind, query = [], takes } = route;
  const names = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? '');
  return {
    operationId: id,
    summary: doc,
    ...(kind === 'open' && { security: [] }),
    parameters: [
      ...names.map((name) => parameter(name, 'path', name === 'hub' ? hubSchema : nameSchema, `The ${name}.`, true)),
      ...query.map((name) => parameter(name, 'query', parameterForms[name].schema, parameterForms[name].doc)),
      ...(names.includes('hub') ? inHubs : []),
      ...everywhere,
    ],
    ...(takes && { requestBody: { required: true, description: bodyForms[takes].doc, content: contentOf(takes) } }),
    responses: responsesOf(route, style),
  };
}

function parameter(name: string, place: 'path' | 'query', schema: Schema, doc: string, required = false): Schema {
  return { name, in: place, required, description: doc, schema };
}

function contentOf(form: BodyForm): Schema {
  const entries = Object.entries(bodyForms[form].content);
  return Object.fromEntries(entries.map(([type, schema]) => [type, { schema }]));
}

function responsesOf(route: Route, style: Style): Schema {
  const { gives } = route;
  const success = gives
    ? { description: bodyForms[gives].doc, content: contentOf(gives) }
    : { description: 'Done, or taken.' };
  const codes = refusalsOf(route, style);
  const statuses = [...new Set(codes.map((code) => errors[code].status))];
  return Object.fromEntries([
    ...(route.kind === 'refused' ? [] : [[route.ok[style], success]]),
    ...statuses.map((status) => [status, refused(codes.filter((code) => errors[code].status === status))]),
  ]);
}

/** What a call may be refused with. */
export function refusalsOf(route: Route, style: Style): readonly ErrorCode[] {
  if (route.kind === 'open') return ['version_unknown'];
  const no = route.kind === 'ask' ? route.no[style] : undefined;
  const own = [...(route.refusals ?? []), ...(no === undefined ? [] : [no])];
  return [...own, ...(route.takes ? takesBody : []), ...common];
}

function refused(codes: readonly ErrorCode[]): Schema {
  return {
    description: codes.map((code) => errors[code].doc).join(' '),
    headers: {
      'x-ms-error-code': { schema: { type: 'string', enum: [...new Set(codes.map((code) => errors[code].rest))] } },
    },
    content: { 'application/json': { schema: schemaRef('ErrorDetail') } },
  };
}
