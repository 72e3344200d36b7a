import { z } from 'zod';

/** What the record of every machine has beside its own: each state takes the record and returns it. */
export const executionFields = {
  /** Why, in a sentence that the operator reads. */
  says: z.string().max(1000).default(''),
  /** Where the machine's catches put what they caught. */
  failure: z.unknown().optional(),
};
