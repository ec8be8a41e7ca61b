import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The root of the repository. */
export const root = fileURLToPath(new URL('../../..', import.meta.url));

/** The text of a file of the repository. */
export function read(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

/** Every file below a folder of the repository, as paths from its root. */
export function filesBelow(folder: string): string[] {
  const entries = readdirSync(join(root, folder), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length));
}

/** All that is deployed: the files of `deploy/` without their tests, and what Heroku reads in the root. */
export function deployedFiles(): string[] {
  const mine = filesBelow('deploy').filter((path) => !/^deploy\/(test|vitest|tsconfig)|\.(tsbuildinfo|md)$/.test(path));
  return [...mine, 'Procfile', 'app.json'].sort();
}
