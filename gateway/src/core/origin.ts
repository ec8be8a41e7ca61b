/** What a client's first request and its token said: kept until an app took the client. */
export interface ClientOrigin {
  /** All claims of its token in their order, names as in the token. */
  readonly claims: readonly { readonly name: string; readonly text: string }[];
  /** Of its first request, as sent but without token and connection token; no question mark. */
  readonly query: string;
  /** Headers that an app may see, lower-cased names. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Where it comes from. */
  readonly remoteAddress: string;
  /** Id of the app server it belongs to, and how much (claims `asrs.s.sn`, `asrs.s.ssticky`). */
  readonly server: string | undefined;
  readonly sticky: 'Preferred' | 'Required' | undefined;
  /** Does its app want to follow its messages (claim `asrs.s.dc`)? */
  readonly diagnostic: boolean;
}
