/** How long a program may take until it can be spoken with, on a machine that has other things to do. In milliseconds. */
export const startMs = 60_000;

/** How often a condition that nobody tells of is looked at, in milliseconds. */
const lookMs = 20;

/**
 * Waits until a condition holds that can only be asked for, such as a page or a metric.
 * @throws Error naming `what` when it does not hold within `deadlineMs`.
 */
export async function until(what: string, holds: () => boolean | Promise<boolean>, deadlineMs = 15_000): Promise<void> {
  const deadline = performance.now() + deadlineMs;
  for (;;) {
    const late = performance.now() > deadline; // before the look: the last one is behind the deadline
    if (await holds()) return;
    if (late) throw new Error(`not within ${deadlineMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, lookMs));
  }
}

/** Awaits a promise, but not for ever. */
export async function within<T>(what: string, promise: Promise<T>, deadlineMs = 15_000): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${deadlineMs} ms: ${what}`)), deadlineMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
