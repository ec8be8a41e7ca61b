import { vi } from 'vitest';

/** Stops the clocks of this process, until `vi.useRealTimers`; sockets go on. */
export function freezeTime(): void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'] });
}
