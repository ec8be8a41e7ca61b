import type { BatchResult, CallOptions } from '../hub-context.ts';
import type { ReportFailure } from '../observe.ts';
import { asSignalboxError, counted, GuardedSender, readItem, type Send } from '../sends.ts';
import { checkTarget, type Sender } from '../targets.ts';
import type { HubParts } from './call.ts';
import { encodeCall, sizeOf } from './frames.ts';
import type { Gateway } from './gateway.ts';

/** Asks one client over a gateway. */
export type Ask = (
  gateway: Gateway,
  connectionId: string,
  target: string,
  args: readonly unknown[],
  options?: CallOptions,
) => Promise<unknown>;

/** Sends over one gateway: encoded once per protocol, counted, and safe when nobody awaits it. */
export class GatewaySender extends GuardedSender implements Sender {
  readonly #gateway: Gateway;
  readonly #parts: HubParts;
  readonly #ask: Ask;

  constructor(gateway: Gateway, parts: HubParts, report: ReportFailure, ask: Ask) {
    super({ hub: parts.name, via: 'link', tell: parts.tell, report });
    this.#gateway = gateway;
    this.#parts = parts;
    this.#ask = ask;
  }

  /** One after the other, each when the link has taken the one before. */
  async sendBatch(items: Iterable<{ to: unknown }>, options?: CallOptions): Promise<BatchResult> {
    const failed: BatchResult['failed'] = [];
    let index = 0;
    for (const item of items) {
      try {
        await counted(this.reports, () => readItem(item, options), this.run);
      } catch (error) {
        failed.push({ index, error: asSignalboxError(error) });
      }
      index++;
    }
    return { sent: index - failed.length, failed };
  }

  async invoke(connection: string, target: string, args: readonly unknown[], options?: CallOptions): Promise<unknown> {
    return await this.#ask(this.#gateway, connection, checkTarget(target), args, options);
  }

  protected readonly run = async ({ to, target, args, options }: Send): Promise<number> => {
    const frames = encodeCall(this.#parts.plan.protocols, target, args);
    if (to.spots.length > 0) await this.#gateway.send(to, frames, options);
    return sizeOf(frames);
  };
}
