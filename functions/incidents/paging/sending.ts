import type { PortsFor } from '../../common/ports.ts';
import type { TaskContext } from '../../common/task.ts';

/** What whoever sends pages needs; a step or task that calls `sendPages` has these among its own. */
export const sendingNeeds = ['incidents:write', 'outbox:write', 'channels:send', 'send-rates:reserve', 'link-signer:sign'] as const;

export type SendingContext = PortsFor<(typeof sendingNeeds)[number]> & TaskContext;

/** A page is somebody's for so long; after that whoever took it is taken for dead. Longer than a channel may take to answer (20 s). */
export const holdMilliseconds = 30_000;

/** A channel that does not answer is asked once more; then the person's next method is due. */
export const mostAttempts = 2;
