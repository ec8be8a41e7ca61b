import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { read, root } from './files.ts';

/** One line of a `.dockerignore`; the last that matches decides. */
interface Rule {
  readonly ignores: boolean;
  matches(path: string): boolean;
}

/** The forms that ours have: `*`, a path from the root, and `**` with a name that may stand anywhere. */
function ruleOf(line: string): Rule {
  const ignores = !line.startsWith('!');
  const pattern = ignores ? line : line.slice(1);
  if (pattern === '*') return { ignores, matches: () => true };
  if (!pattern.startsWith('**/')) {
    if (pattern.includes('*')) throw new Error(`a rule of this form is not known here: ${line}`);
    return { ignores, matches: (path) => path === pattern || path.startsWith(`${pattern}/`) };
  }
  const name = new RegExp(`^${pattern.slice(3).replaceAll('.', '\\.').replaceAll('*', '[^/]*')}$`);
  return { ignores, matches: (path) => path.split('/').some((part) => name.test(part)) };
}

/** Copies what the Docker engine would get: the files of the repository that the `.dockerignore` leaves. */
export function copyContext(dockerfile: string, into: string): void {
  const lines = read(`${dockerfile}.dockerignore`).split('\n');
  const rules = lines.filter((line) => line !== '' && !line.startsWith('#')).map(ruleOf);
  const known = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { cwd: root });
  for (const path of known.toString().trimEnd().split('\n')) {
    if (rules.findLast((rule) => rule.matches(path))?.ignores) continue;
    mkdirSync(join(into, dirname(path)), { recursive: true });
    cpSync(join(root, path), join(into, path));
  }
}
