/** Stops one thing that was started. */
export type Stop = () => Promise<unknown>;

/** Stops what was started, the last first, and forgets it. Rejects at the first that fails. */
export async function stopAll(stops: Stop[]): Promise<void> {
  for (let stop = stops.pop(); stop !== undefined; stop = stops.pop()) await stop();
}
