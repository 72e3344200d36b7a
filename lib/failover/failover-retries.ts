import { Duration } from 'aws-cdk-lib';
import type { Retries } from '../machines/machine-step.ts';

/** Before the point of no return: waits of 1, 2, 4 and then 5 s, half a minute in all. Nobody writes meanwhile: rather give the lease back. */
export const brief: Retries = { errors: 'retryable', interval: Duration.seconds(1), maxDelay: Duration.seconds(5), maxAttempts: 8 };

/**
 * The write that is the point of no return: when the table does not say whether it took it, only the table can tell. Waits of 1, 2, 4, 8 and then
 * 15 s, ten minutes in all; without the table nobody can lead anyway.
 */
export const untilTold: Retries = { errors: 'retryable', interval: Duration.seconds(1), maxDelay: Duration.seconds(15), maxAttempts: 42 };

/**
 * Beyond it, and on the way back: whatever happens, for half an hour. RDS refuses to promote a replica that is being backed up. People are paged
 * long before this ends.
 */
export const onward: Retries = { errors: 'all', interval: Duration.seconds(2), maxDelay: Duration.seconds(15), maxAttempts: 120 };

/** What follows when the new primary is open: telling and recording. Five minutes. */
export const afterwards: Retries = { errors: 'all', interval: Duration.seconds(2), maxDelay: Duration.seconds(30), maxAttempts: 14 };
