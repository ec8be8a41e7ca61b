/** One step of a stop. */
export interface DrainStep {
  /** For the log: what is being done. */
  readonly name: string;
  run(): void | Promise<void>;
  /** How much of it is left, to be told while it goes on: clients that are still here. */
  left?(): number;
}

/** How often a step that has something left tells of it, in ms. */
const progressMs = 1000;

export interface DrainOptions {
  readonly deadlineMs: number;
  /** Told before each step, and each second of one that tells what is left. @param ms since the stop began */
  readonly progress: (step: string, ms: number, left: number | undefined) => void;
  /** A step failed; the next ones run all the same. */
  readonly failed: (step: string, error: unknown) => void;
}

/**
 * Runs the steps of a stop in their order (architecture, section 11): each is awaited before the next. When the deadline
 * passes, what is under way is left to itself and the remaining steps begin at once, so that each has had its turn.
 * @returns false when the deadline cut it short.
 */
export async function drain(steps: readonly DrainStep[], options: DrainOptions): Promise<boolean> {
  const started = performance.now();
  const deadline = timer(options.deadlineMs);
  let inTime = true;
  for (const step of steps) {
    const tell = (): void => options.progress(step.name, Math.round(performance.now() - started), step.left?.());
    tell();
    const telling = step.left && setInterval(tell, progressMs);
    const work = run(step, options.failed);
    if (inTime) inTime = await Promise.race([work, deadline.passed]);
    clearInterval(telling);
  }
  deadline.cancel();
  return inTime;
}

async function run(step: DrainStep, failed: DrainOptions['failed']): Promise<true> {
  try {
    await step.run();
  } catch (error) {
    failed(step.name, error);
  }
  return true;
}

function timer(ms: number): { passed: Promise<false>; cancel: () => void } {
  let handle: NodeJS.Timeout | undefined;
  const passed = new Promise<false>((resolve) => {
    handle = setTimeout(() => resolve(false), ms);
  });
  return { passed, cancel: () => clearTimeout(handle) };
}
