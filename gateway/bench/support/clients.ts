import { clientToken, signToken } from '../../test/support/tokens.ts';
import { serve } from './child.ts';
import { post, RawHttp } from './raw-http.ts';
import { RawSocket, type RawSocketOptions } from './raw-socket.ts';
import { usage } from './usage.ts';

/** The load of a bench: clients that only listen, and callers of the REST API. */

const hub = 'bench';
/** Handshakes under way at a time: no more than a listening socket lets wait. */
const width = 64;
const addresses = 8;

interface Connecting {
  readonly port: number;
  readonly count: number;
  readonly protocol: RawSocketOptions['protocol'];
  /** Client i is user `u{i}`; default: all are anonymous. */
  readonly users?: boolean;
}

const clients: RawSocket[] = [];
/** Bytes that each client got. */
let got = new Float64Array(0);
let total = 0;
let wanted = Number.POSITIVE_INFINITY;
let reached: () => void = () => undefined;

function count(client: number, bytes: number): void {
  got[client]! += bytes;
  total += bytes;
  if (total >= wanted) {
    wanted = Number.POSITIVE_INFINITY;
    reached();
  }
}

async function pathOf(client: number, users: boolean): Promise<string> {
  return `/client/?hub=${hub}&access_token=${await clientToken(hub, users ? `u${client}` : undefined)}`;
}

/** Opens sockets, `width` at a time; resolves when all have shaken hands. */
async function open({ port, count: wantedClients, protocol, users = false }: Connecting): Promise<void> {
  got = new Float64Array(wantedClients);
  total = 0;
  const anonymous = await pathOf(0, false);
  const one = async (client: number): Promise<void> => {
    const path = users ? await pathOf(client, true) : anonymous;
    await new Promise<void>((ready, reject) => {
      const events = {
        ready,
        bytes: (bytes: number) => count(client, bytes),
        closed: (why: string) => reject(new Error(`client ${client} of port ${port}: ${why}`)),
      };
      const from = `127.0.0.${2 + (client % addresses)}`;
      clients.push(new RawSocket({ port, path, from, protocol }, events));
    });
  };
  await inParallel(width, wantedClients, one);
}

/** Does something `times` times, `lanes` at a time. */
async function inParallel(
  lanes: number,
  times: number,
  act: (turn: number, lane: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const lane = async (_: unknown, index: number): Promise<void> => {
    while (next < times) await act(next++, index);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}

/** Resolves when so many bytes came to all clients together since they connected. */
function expectTotal(bytes: number): Promise<void> {
  return new Promise((resolve) => {
    wanted = bytes;
    reached = resolve;
    count(0, 0);
  });
}

interface Calling {
  readonly port: number;
  readonly requests: number;
  readonly connections: number;
  /** Client u{i} is meant by request i, modulo so many. */
  readonly users: number;
  /** Are tokens signed for each request, as the SDKs do, or once for each user? */
  readonly freshTokens: boolean;
  readonly body: string;
}

/** Makes the requests before any is sent: signing is not what is measured. */
async function requestsOf({ requests, users, freshTokens, body }: Calling): Promise<readonly Buffer[]> {
  const made: Buffer[] = [];
  for (let i = 0; i < (freshTokens ? requests : users); i++) {
    const path = `/api/v1/hubs/${hub}/users/u${i % users}`;
    const token = await signToken(`http://localhost${path}`, { jti: String(i) });
    made.push(Buffer.from(post(path, token, body)));
  }
  return made;
}

let prepared: readonly Buffer[] = [];

/** Sends what was prepared. @returns milliseconds. */
async function call({ port, requests, connections }: Calling): Promise<number> {
  const sockets = Array.from({ length: connections }, () => new RawHttp(port));
  const started = performance.now();
  await inParallel(connections, requests, async (turn, lane) => {
    const answer = await sockets[lane]!.request(prepared[turn % prepared.length]!);
    if (!answer.startsWith('HTTP/1.1 202')) throw new Error(answer);
  });
  const ms = performance.now() - started;
  for (const socket of sockets) socket.close();
  return ms;
}

/** Sends one request after another; each waits for its message to arrive. @returns µs from write to receipt, and to the answer. */
async function latencies({ port, requests }: Calling): Promise<{ receipts: number[]; answers: number[] }> {
  const socket = new RawHttp(port);
  const receipts: number[] = [];
  const answers: number[] = [];
  for (let i = 0; i < requests; i++) {
    const started = performance.now();
    const since = (into: number[]) => () => void into.push((performance.now() - started) * 1000);
    const arrived = expectTotal(total + 1).then(since(receipts));
    const answered = socket.request(prepared[i % prepared.length]!).then(since(answers));
    await Promise.all([arrived, answered]);
  }
  socket.close();
  return { receipts, answers };
}

/** Negotiates, upgrades, shakes hands and leaves, over and over. @returns milliseconds. */
async function connectAndLeave({
  port,
  count: times,
  negotiates,
}: Connecting & { negotiates: boolean }): Promise<number> {
  const token = await clientToken(hub);
  const sockets = Array.from({ length: width }, () => new RawHttp(port));
  const request = post(`/client/negotiate?hub=${hub}&negotiateVersion=1`, token, '');
  const started = performance.now();
  await inParallel(width, times, async (turn, lane) => {
    let path = `/client/?hub=${hub}&access_token=${token}`;
    if (negotiates) {
      const answer = await sockets[lane]!.request(request);
      const id = /"connectionToken":"([^"]+)"/.exec(answer)?.[1];
      if (id === undefined) throw new Error(answer);
      path += `&id=${id}`;
    }
    await connectOnce(port, path, turn);
  });
  const ms = performance.now() - started;
  for (const socket of sockets) socket.close();
  return ms;
}

async function connectOnce(port: number, path: string, turn: number): Promise<void> {
  let socket: RawSocket | undefined;
  await new Promise<void>((ready, reject) => {
    const from = `127.0.0.${2 + (turn % addresses)}`;
    const closed = (why: string): void => reject(new Error(why));
    socket = new RawSocket({ port, path, from, protocol: 'json' }, { ready, bytes: () => undefined, closed });
  });
  socket?.destroy();
}

serve({
  usage,
  open,
  leave: () => {
    for (const client of clients.splice(0)) client.destroy();
  },
  expect: ({ bytes }: { bytes: number }) => expectTotal(bytes),
  /** Fewest and most bytes that one client got. */
  extremes: () => ({ least: Math.min(...got), most: Math.max(...got) }),
  prepare: async (calling: Calling) => {
    prepared = await requestsOf(calling);
  },
  call,
  latencies,
  connectAndLeave,
});
