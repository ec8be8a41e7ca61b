import { refusalsOf } from '../src/apps/openapi.ts';
import { bodyForms, parameterForms } from '../src/apps/openapi-schemas.ts';
import type { Route } from '../src/apps/rest-route.ts';
import { routes } from '../src/apps/rest-routes.ts';
import { code, page, table } from './markdown.ts';

/** The page of the REST API, from its table of routes. */
export function restPage(): string {
  return page(
    'REST API',
    'The data plane of Azure SignalR Service, and a few operations of our own below `/api/signalbox/`. Every path below is\n' +
      'served under `/api/` and under `/api/v1/`; where the two answer with other statuses, both are named. `api-version` may\n' +
      'be absent, or any published one: it changes nothing. `application` goes with every operation on a hub and stands in\n' +
      "front of the hub's name. The same as an OpenAPI 3.1 document: `GET /api/openapi.json`.",
    'A call carries `Authorization: Bearer` and a JWT, signed with an access key (HS256 or HS512), whose `aud` is the URL of the\n' +
      'request; scheme, port, query and a slash at the end do not count. The answer to an error has the header\n' +
      '`x-ms-error-code` and a JSON body; [errors.md](errors.md) explains them. Every answer has the header `x-signalbox`,\n' +
      'with the version of the gateway.',
    'A send is answered when it was taken, not when it was delivered. With `x-signalbox-reach: local` Redis is down, and only\n' +
      'connections on this node were reached.',
    ...routes.flatMap(operation),
    '## Query parameters',
    table(
      ['parameter', 'meaning'],
      Object.entries(parameterForms).map(([name, { doc }]) => [code(name), doc]),
    ),
  );
}

function operation(route: Route): readonly string[] {
  const { doc, methods, paths, query = [], takes, gives } = route;
  const facts = [
    ['Success', route.kind === 'refused' ? '' : statuses(route)],
    ['Query', query.map(code).join(', ')],
    ['Takes', takes ? body(takes) : ''],
    ['Gives', gives ? body(gives) : ''],
    ['Refusals of its own', ownRefusals(route).map(code).join(', ')],
  ].filter(([, text]) => text !== '');
  return [
    `## ${route.operation}`,
    doc,
    `\`\`\`text\n${paths.map((path) => `${methods.join(', ')} /api/${path}`).join('\n')}\n\`\`\``,
    ...(facts.length === 0 ? [] : [facts.map(([name, text]) => `- ${name}: ${text}`).join('\n')]),
  ];
}

function statuses({ ok }: Route): string {
  return ok.v1 === ok.dated ? String(ok.dated) : `${ok.dated}, below \`/api/v1/\` ${ok.v1}`;
}

function body(form: keyof typeof bodyForms): string {
  const { content, doc } = bodyForms[form];
  return `${Object.keys(content).map(code).join(' or ')}. ${doc}`;
}

/** Those that only some operations have. */
function ownRefusals(route: Route): readonly string[] {
  const everybodys = new Set([
    'request_invalid',
    'unauthorized',
    'no_answer',
    'version_unknown',
    'too_large',
    'media_type',
  ]);
  return refusalsOf(route, 'dated').filter((name) => !everybodys.has(name));
}
