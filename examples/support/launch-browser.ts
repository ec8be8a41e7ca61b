import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const program = '/usr/bin/chromium';
const args = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Debian's Chromium, without a window. Rejects with what to install when it is not there. */
export async function launchBrowser(): Promise<Browser> {
  if (!existsSync(program)) {
    throw new Error('The browser test needs a Chromium: install it with `apt-get install chromium`.');
  }
  return chromium.launch({ executablePath: program, args });
}
