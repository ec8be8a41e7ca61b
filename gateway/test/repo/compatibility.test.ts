import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { differences } from '../dotnet/transcripts/differences.ts';

const page = readFileSync(new URL('../../docs/compatibility.md', import.meta.url), 'utf8');

test('compatibility.md lists where hubs of the app SDK differ from those of ASP.NET Core, and nothing else', () => {
  const section = /^## Hubs of the app SDK and of ASP\.NET Core$(.+?)^## /ms.exec(page)?.[1] ?? '';
  const rows = [...section.matchAll(/^\| (.+?) +\| (.+?) +\|$/gm)].map(([, what, reason]) => [what, reason]);
  expect(rows.slice(2)).toEqual(differences.map(({ what, reason }) => [what, reason]));
});
