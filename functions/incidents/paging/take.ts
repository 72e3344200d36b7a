import { Conflict } from '../../common/errors.ts';
import { timestamp } from '../../common/ids.ts';
import type { Page } from '../models.ts';
import { holdMilliseconds, type SendingContext } from './sending.ts';

type Holding = Pick<SendingContext, 'outbox' | 'clock'>;

/** Nobody has it in hand: it waits, or whoever took it has died. */
export const isFree = ({ status, takenUntil }: Page, now: Date): boolean =>
  status === 'pending' || (status === 'sending' && (takenUntil === undefined || Date.parse(takenUntil) <= now.getTime()));

/** Takes a page to send it, for 30 s. @param mark of the digest that it goes into @returns undefined when somebody else was faster */
export async function take(page: Page, { outbox, clock }: Holding, mark?: string): Promise<Page | undefined> {
  const { receipt: _, ...rest } = page;
  const takenUntil = timestamp(new Date(clock.now().getTime() + holdMilliseconds));
  const taken: Page = {
    ...rest,
    status: 'sending',
    takenUntil,
    attempts: page.attempts + 1,
    ...(mark === undefined ? {} : { receipt: mark }),
  };
  return unlessTaken(() => outbox.update(taken));
}

/** The channel took it. */
export async function accept(page: Page, receipt: string, { outbox, clock }: Holding): Promise<void> {
  const { takenUntil: _, ...rest } = page;
  await unlessTaken(() =>
    outbox.update({ ...rest, status: 'accepted', acceptedAt: timestamp(clock.now()), receipt: receipt.slice(0, 300) }),
  );
}

/** The channel did not take it. `takenUntil` stays as the time of that: the person's next method is due then. */
export async function fail(page: Page, why: string, { outbox, clock }: Holding): Promise<void> {
  const failed: Page = { ...page, status: 'failed', takenUntil: timestamp(clock.now()), receipt: why.slice(0, 300) };
  await unlessTaken(() => outbox.update(failed));
}

/** Back to those that wait. */
export async function release(page: Page, { outbox }: Pick<Holding, 'outbox'>): Promise<Page | undefined> {
  const { takenUntil: _, receipt: __, ...rest } = page;
  return unlessTaken(() => outbox.update({ ...rest, status: 'pending' }));
}

/** Nobody needs it any more. */
export async function drop(page: Page, { outbox }: Pick<Holding, 'outbox'>): Promise<void> {
  const { takenUntil: _, ...rest } = page;
  await unlessTaken(() => outbox.update({ ...rest, status: 'not-needed' }));
}

/** @returns undefined where another sender has written the page meanwhile: what it wrote stands */
async function unlessTaken(write: () => Promise<Page>): Promise<Page | undefined> {
  try {
    return await write();
  } catch (error) {
    if (error instanceof Conflict) return undefined;
    throw error;
  }
}
