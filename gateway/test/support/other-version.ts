import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** The built gateway as a package of another version, in a folder of its own. */
export class OtherVersion {
  readonly #folder = mkdtempSync(join(tmpdir(), 'signalbox-version-'));
  /** Its program. */
  readonly main = join(this.#folder, 'gateway/dist/main.js');

  constructor(version: string) {
    const [built, copy] = [root, this.#folder].map((folder) => join(folder, 'gateway'));
    if (built === undefined || copy === undefined) throw new TypeError('two folders');
    mkdirSync(copy);
    cpSync(join(built, 'dist'), join(copy, 'dist'), { recursive: true });
    symlinkSync(join(built, 'page'), join(copy, 'page'));
    symlinkSync(join(root, 'node_modules'), join(this.#folder, 'node_modules'));
    const manifest = JSON.parse(readFileSync(join(built, 'package.json'), 'utf8')) as Record<string, unknown>;
    writeFileSync(join(copy, 'package.json'), JSON.stringify({ ...manifest, version }));
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true });
  }
}
