import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const run = promisify(execFile);
const sdk = fileURLToPath(new URL('..', import.meta.url));
const repository = join(sdk, '..');

/** What a blank project compiles: `SignalboxClient` with a contract, and a mistake that the contract must find. */
const typed = `
interface Chat { server: object; client: { say(text: string): void } }
export const hub = new sdk.SignalboxClient<Chat>('', { hub: 'chat' });
void hub.clients.all.say('x');
// @ts-expect-error a wrong argument
void hub.clients.all.say(1);
export const sent = testing.recordingHub<Chat>().sent;
export type Connection = browser.TypedHubConnection<object, Chat>;
export type Message = protocol.ServiceMessage;
`;

/** What a blank project runs. Both kinds of module must see the same names. */
const program = `
const hub = new sdk.SignalboxClient('Endpoint=http://localhost;AccessKey=k', { hub: 'Chat' });
const { url } = await hub.negotiate();
await hub.close();
const names = Object.keys(testing).concat(Object.keys(browser)).filter((name) => name !== 'default').sort();
console.log(JSON.stringify({ url, names, codecs: 'readServiceMessage' in protocol }));
`;
const doors = { sdk: '', testing: '/testing', browser: '/browser', protocol: '/protocol' };
const lines = (line: (name: string, door: string) => string): string =>
  Object.entries(doors)
    .map(([name, door]) => line(name, `@signalbox/app-sdk${door}`))
    .join('\n');

let project: string;
let packed: string[];

async function unpack(tarball: string): Promise<void> {
  const modules = join(project, 'node_modules');
  const target = join(modules, '@signalbox', 'app-sdk');
  await mkdir(target, { recursive: true });
  await run('tar', ['-xzf', join(project, tarball), '--strip-components=1', '-C', target]);
  const { dependencies } = JSON.parse(await readFile(join(target, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  for (const name of [...Object.keys(dependencies), '@types/node']) await link(name, modules);
}

/** A dependency of the repository, in the workspace's own folder first, as Node looks for it. */
async function link(name: string, modules: string): Promise<void> {
  const places = [join(sdk, 'node_modules', name), join(repository, 'node_modules', name)];
  const source = places.find((place) => existsSync(place));
  if (source === undefined) throw new Error(`${name} is not installed`);
  await mkdir(dirname(join(modules, name)), { recursive: true });
  await symlink(source, join(modules, name));
}

beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'signalbox-sdk-'));
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', project], { cwd: sdk });
  const [pack] = JSON.parse(stdout) as { filename: string; files: { path: string }[] }[];
  if (pack === undefined) throw new Error('npm packed nothing');
  packed = pack.files.map(({ path }) => path);
  await unpack(pack.filename);
}, 180_000);

afterAll(() => rm(project, { recursive: true, force: true }));

async function output(file: string, source: string): Promise<unknown> {
  await writeFile(join(project, file), source);
  const { stdout, stderr } = await run(process.execPath, ['--disable-warning=ExperimentalWarning', file], {
    cwd: project,
  });
  expect(stderr).toBe('');
  return JSON.parse(stdout);
}

describe('the package', () => {
  const expected = {
    url: 'http://localhost/client/?hub=chat',
    names: ['iterate', 'recordingHub', 'testHub', 'upload'],
    codecs: true,
  };

  test('has what it exports, its README and its changelog, and neither sources nor tests', async () => {
    const { exports } = JSON.parse(await readFile(join(sdk, 'package.json'), 'utf8')) as {
      exports: Record<string, { types: string; default: string }>;
    };
    const targets = Object.values(exports).flatMap((door) => [door.types, door.default]);
    expect(packed).toEqual(expect.arrayContaining(targets.map((target) => target.replace('./', ''))));
    expect(packed).toEqual(expect.arrayContaining(['README.md', 'CHANGELOG.md']));
    expect(packed.filter((path) => path.includes('test/') || /(?<!\.d)\.ts$/.test(path))).toEqual([]);
  });

  test('runs in a blank ESM project', async () => {
    const source = `${lines((name, door) => `import * as ${name} from '${door}';`)}\n${program}`;
    expect(await output('main.mjs', source)).toEqual(expected);
  });

  test('runs in a blank CommonJS project', async () => {
    const source = `${lines((name, door) => `const ${name} = require('${door}');`)}\n(async () => {${program}})();`;
    expect(await output('main.cjs', source)).toEqual(expected);
  });

  test.each(['mts', 'cts'])(
    'compiles in a blank project, strict, as .%s',
    async (kind) => {
      const imports = lines((name, door) => `import * as ${name} from '${door}';`);
      await writeFile(join(project, `typed.${kind}`), imports + typed);
      const tsc = join(repository, 'node_modules', 'typescript', 'bin', 'tsc');
      const options = ['--strict', '--noEmit', '--skipLibCheck', '--target', 'es2022', '--module', 'nodenext'];
      const compiling = run(process.execPath, [tsc, ...options, '--types', 'node', `typed.${kind}`], { cwd: project });
      const printed = await compiling.then(({ stdout }) => stdout).catch((error: { stdout: string }) => error.stdout);
      expect(printed).toBe('');
    },
    120_000,
  );
});
