import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openApi } from '../../src/apps/openapi.ts';
import { bodyForms, parameterForms } from '../../src/apps/openapi-schemas.ts';
import { routes } from '../../src/apps/rest-routes.ts';
import { errors } from '../../src/errors.ts';
import { type RestServer, startRest } from './rest-server.ts';

let rest: RestServer;
beforeAll(async () => {
  rest = await startRest();
});
afterAll(() => rest.close());

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required: boolean;
  readonly schema: object;
}

interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly security?: readonly object[];
  readonly parameters: readonly Parameter[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { schema: object }>> };
  readonly responses: Readonly<Record<string, { description: string; content?: object; headers?: object }>>;
}

const document = openApi(routes, '1.2.3') as {
  openapi: string;
  info: object;
  security: readonly object[];
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, object>; securitySchemes: Record<string, object> };
};
const operations = Object.entries(document.paths).flatMap(([path, item]) =>
  Object.entries(item).map(([method, operation]) => ({ path, method, operation })),
);
const calls = routes.flatMap((route) =>
  ['/api/', '/api/v1/'].flatMap((prefix) =>
    route.paths.flatMap((path) => route.methods.map((method) => ({ route, call: `${method} ${prefix}${path}` }))),
  ),
);

/** Every object inside a value, itself included. */
function* objectsIn(value: unknown): Generator<Readonly<Record<string, unknown>>> {
  if (typeof value !== 'object' || value === null) return;
  yield value as Record<string, unknown>;
  for (const member of Object.values(value)) yield* objectsIn(member);
}

describe('the description of the API', () => {
  test('lists each method and path of each row, under both prefixes, and no other', () => {
    const listed = operations.map(({ path, method }) => `${method.toUpperCase()} ${path}`);
    expect(listed.toSorted()).toEqual(calls.map(({ call }) => call).toSorted());
    expect(new Set(listed).size).toBe(listed.length);
  });

  test('is served to anybody, under both prefixes', async () => {
    for (const path of ['/api/openapi.json', '/api/v1/openapi.json']) {
      const answer = await rest.call('GET', path, { headers: { authorization: '' } });
      expect([answer.status, answer.headers['content-type']]).toEqual([200, 'application/json']);
      expect(JSON.parse(answer.body)).toEqual(JSON.parse(JSON.stringify(document)));
    }
    expect(rest.verified).toEqual([]);
  });

  test('has the members that OpenAPI 3.1 demands', () => {
    expect(document.openapi).toBe('3.1.0');
    expect(document.info).toEqual({ title: expect.any(String), version: '1.2.3' });
    for (const { operation } of operations) {
      expect(operation.summary).not.toBe('');
      expect(Object.keys(operation.responses).length).toBeGreaterThan(0);
      for (const [status, response] of Object.entries(operation.responses)) {
        expect(status).toMatch(/^[2-5]\d\d$/);
        expect(response.description).not.toBe('');
      }
    }
  });

  test('gives each operation an id of its own', () => {
    const ids = operations.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test('declares each name of a path once and required, and no parameter twice', () => {
    for (const { path, operation } of operations) {
      const named = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
      const inPath = operation.parameters.filter((one) => one.in === 'path');
      expect(inPath.map(({ name }) => name)).toEqual(named);
      expect(inPath.every(({ required }) => required)).toBe(true);
      const names = operation.parameters.map(({ name }) => name);
      expect(new Set(names).size).toBe(names.length);
    }
  });

  test('has every reference it makes', () => {
    const references = [...objectsIn(document)].map((one) => one['$ref']).filter((one) => one !== undefined);
    expect(references.length).toBeGreaterThan(0);
    for (const reference of references) {
      const name = /^#\/components\/schemas\/(\w+)$/.exec(String(reference))?.[1] ?? '';
      expect(document.components.schemas, String(reference)).toHaveProperty(name);
    }
    const schemes = [...objectsIn(document.security)].flatMap((one) => Object.keys(one)).filter((key) => key !== '0');
    expect(Object.keys(document.components.securitySchemes)).toEqual(schemes);
  });

  test('demands a token for all but what is open to anybody', () => {
    const open = operations.filter(({ operation }) => operation.security?.length === 0).map(({ path }) => path);
    const rows = calls.filter(({ route }) => route.kind === 'open').map(({ call }) => call.split(' ')[1]);
    expect(open.toSorted()).toEqual(rows.toSorted());
  });

  test('uses every form of a body and every parameter there is', () => {
    expect(new Set(routes.flatMap(({ takes, gives }) => [takes, gives]).filter(Boolean))).toEqual(
      new Set(Object.keys(bodyForms)),
    );
    expect(new Set(routes.flatMap(({ query = [] }) => query))).toEqual(new Set(Object.keys(parameterForms)));
  });

  test('says of an error what the table of errors says', () => {
    const joined = document.paths['/api/hubs/{hub}/groups/{group}/connections/{connection}']?.['put']?.responses;
    expect(joined?.['404']?.description).toBe(errors.connection_to_join_unknown.doc);
    expect(JSON.stringify(joined?.['404']?.headers)).toContain('Error.Connection.NotExisted');
  });
});
