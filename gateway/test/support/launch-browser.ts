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
  // A page that a test makes up itself would count as one from the internet, and not be let at this machine.
  '--disable-features=LocalNetworkAccessChecks,LocalNetworkAccessChecksWebSockets',
];

/** Debian's Chromium, without a window. Rejects with what to install when it is not there. */
export async function launchBrowser(): Promise<Browser> {
  if (!existsSync(program)) {
    throw new Error('These tests need a Chromium: install it with `apt-get install chromium`.');
  }
  return chromium.launch({ executablePath: program, args });
}
