import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { differences } from '../dotnet/transcripts/differences.ts';
import { clientVersions } from '../dotnet/versions.ts';

const page = readFileSync(new URL('../../docs/compatibility.md', import.meta.url), 'utf8');

test('compatibility.md lists where hubs of the app SDK differ from those of ASP.NET Core, and nothing else', () => {
  const section = /^## Hubs of the app SDK and of ASP\.NET Core$(.+?)^## /ms.exec(page)?.[1] ?? '';
  const rows = [...section.matchAll(/^\| (.+?) +\| (.+?) +\|$/gm)].map(([, what, reason]) => [what, reason]);
  expect(rows.slice(2)).toEqual(differences.map(({ what, reason }) => [what, reason]));
});

test('compatibility.md names every version of the .NET client that is run or tried', () => {
  expect(clientVersions.filter((version) => !page.includes(version))).toEqual([]);
});

test('compatibility.md names the version of the .NET SDK for Azure SignalR that the projects ask for', () => {
  for (const project of [
    'examples/aspnet-chat/AspNetChat.csproj',
    'gateway/test/dotnet/management/AzureManagement.csproj',
  ]) {
    const text = readFileSync(new URL(`../../../${project}`, import.meta.url), 'utf8');
    const [, version = ''] = />([\d.]+)<\/AzureSignalRVersion>/.exec(text) ?? [];
    expect(page).toContain(`\`AddAzureSignalR\` ${version}`);
  }
});
