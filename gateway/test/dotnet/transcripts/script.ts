import type { Room } from './room.ts';

/** What clients do, one after the other. What they heard is the transcript. */
export interface Script {
  /** A sentence, the same in the list of differences. */
  readonly title: string;
  /** The hub it is played with. */
  readonly hub: string;
  play(room: Room): Promise<void>;
}

/** The same script with the hub that tells errors and the one that does not. */
export function withAndWithoutDetails(title: string, play: Script['play']): Script[] {
  return [
    { title, hub: 'plain', play },
    { title: `${title}, with detailed errors`, hub: 'detailed', play },
  ];
}
