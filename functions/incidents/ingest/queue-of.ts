import type { SignalQueueName } from '../../common/names.ts';
import type { Signal } from '../models.ts';

/** The queue of a signal. An acknowledgement stops pages: in a storm it must not wait behind what it is about. */
export const queueOf = ({ severity, action }: Pick<Signal, 'severity' | 'action'>): SignalQueueName =>
  severity === 1 || action === 'acknowledge' ? 'urgent-signals' : 'signals';
