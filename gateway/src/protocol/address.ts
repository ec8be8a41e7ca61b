/** Who a command is for, inside one hub. */
export type Address =
  | { readonly kind: 'all' }
  | { readonly kind: 'group'; readonly group: string }
  | { readonly kind: 'user'; readonly user: string }
  | { readonly kind: 'connection'; readonly connection: string }
  | { readonly kind: 'users'; readonly users: readonly string[] }
  | { readonly kind: 'connections'; readonly connections: readonly string[] };

/** One place where a connection can be. */
export type Place = Extract<Address, { kind: 'group' | 'user' | 'connection' }>;

/** Where the answer of a command goes. */
export interface Asker {
  readonly node: string;
  readonly id: number;
}
