/** Taken when the module is loaded, before a test puts a clock of its own in place. */
const { setImmediate: soon } = globalThis;

/** One turn of the event loop: lets others run, without a timer. */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    soon(resolve);
  });
}
