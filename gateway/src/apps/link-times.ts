/** Times of a link, in ms: the service protocol fixes them (sections 7.1 and 8.1). */
export const linkTimes = {
  /** For the handshake of an app server. */
  handshake: 15_000,
  /** The longest silence of ours: an app server pings in answer to our bytes only. */
  keepAlive: 5000,
  /** The longest silence of theirs. */
  silence: 30_000,
  /** How often all links are looked at. */
  beat: 500,
} as const;
