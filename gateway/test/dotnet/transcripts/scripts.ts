import type { Script } from './script.ts';
import { callScripts } from './scripts-calls.ts';
import { endScripts } from './scripts-ends.ts';
import { handshakeScripts } from './scripts-handshake.ts';
import { officialScripts } from './scripts-official.ts';
import { sendScripts } from './scripts-sends.ts';
import { streamScripts } from './scripts-streams.ts';

/** All that is played with both servers. */
export const scripts: readonly Script[] = [
  ...handshakeScripts,
  ...callScripts,
  ...streamScripts,
  ...sendScripts,
  ...endScripts,
  ...officialScripts,
];
