import { z } from 'zod';

const Caught = z.object({ Error: z.string(), Cause: z.string().optional() });
const Thrown = z.object({ errorMessage: z.string() });

/** What a state machine caught, as a sentence: the message of the error that a step threw, or the service's own words. */
export function failureSentence(failure: unknown): string {
  const caught = Caught.safeParse(failure);
  if (!caught.success) return 'a step failed, and nothing says why';
  const { Error: name, Cause: cause = '' } = caught.data;
  return `${name}: ${messageIn(cause) || 'no cause given'}`.slice(0, 500);
}

/** Lambda wraps the message of a thrown error in JSON; Step Functions' own causes are plain sentences. */
function messageIn(cause: string): string {
  try {
    return Thrown.safeParse(JSON.parse(cause)).data?.errorMessage ?? cause;
  } catch {
    return cause;
  }
}
