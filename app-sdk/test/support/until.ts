/** Taken when the module is loaded, before a test freezes time. */
const { setTimeout: later } = globalThis;

/** Waits until a condition holds that nobody tells of, for as long as its test may last. Frozen clocks stay where they are. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => later(resolve, 5));
}
