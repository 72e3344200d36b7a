import { setTimeout as timer } from 'node:timers/promises';
import { busDestination, type Destination, httpsDestination, isRetryable, unavailable } from './destination.ts';
import { type AuditEvent, completed, type NewAuditEvent } from './event.ts';
import { AuditEventRejected, AuditLogUnavailable, type Logged, type LogResult } from './result.ts';
import { type Answer, type CredentialsSource, signedPoster } from './signed-post.ts';

export type { AuditEvent, NewAuditEvent, PurposeOfUse } from './event.ts';
export { AuditEventRejected, AuditLogUnavailable, type Logged, type LogResult } from './result.ts';
export type { Credentials, CredentialsSource } from './signed-post.ts';

/** Longest wait that a server may ask for. */
const LONGEST_WAIT_MILLISECONDS = 30_000;

interface Common {
  /** Region of the log, such as `us-east-1`. */
  readonly region: string;
  /** As the AWS SDK finds them (environment, container, instance, SSO, ...) when left out. */
  readonly credentials?: CredentialsSource;
  /** Attempts for each event, the first included; 8 when left out. */
  readonly attempts?: number;
  /** Wait before the second attempt, at most; doubled for each one after, up to 5 s. 100 when left out. */
  readonly firstWaitMilliseconds?: number;
  /** Of one attempt; 35 000 when left out: longer than the log takes for whatever it takes. */
  readonly timeoutMilliseconds?: number;
  /** Resolves after so many milliseconds; a timer when left out. */
  readonly wait?: (milliseconds: number) => Promise<unknown>;
}

/** Over HTTPS: what resolves is durable. */
export interface HttpsOptions extends Common {
  /** The function URL that the deployment prints. */
  readonly url: string;
}

/** Over EventBridge: what resolves has reached the bus, and a rejection is told to nobody here. */
export interface BusOptions extends Common {
  readonly busName: string;
  /** Your application's name on the bus: letters, digits and . _ / - */
  readonly source: string;
  /** The Region's own when left out; a VPC endpoint's, for example. */
  readonly endpoint?: string;
}

export interface AuditClient {
  /**
   * Resolves once the event is durable (`sent`: once the bus has it).
   * @throws AuditEventRejected when it can never be taken as it is; AuditLogUnavailable when all attempts failed: it may be durable or not
   */
  logEvent(event: NewAuditEvent): Promise<Logged>;
  /** One result for each event, in their order; a rejected one sinks no other. Any number: more than a request holds are sent in several. */
  logEvents(events: readonly NewAuditEvent[]): Promise<readonly LogResult[]>;
}

/**
 * @example
 * const audit = createAuditClient({ url: 'https://abc.lambda-url.us-east-1.on.aws', region: 'us-east-1' });
 * await audit.logEvent({ userId: 'practitioner-4711', action: 'record.read', resource: 'Observation/8812', outcome: 'success', service: 'registration' });
 */
export function createAuditClient(options: HttpsOptions | BusOptions): AuditClient {
  const destination = destinationOf(options);
  const deliver = deliverer(destination, options);

  const logEvents = async (given: readonly NewAuditEvent[]): Promise<readonly LogResult[]> => {
    const now = new Date();
    const events = given.map((event) => completed(event, now));
    const results: LogResult[] = [];
    for (const batch of batchesOf(events, destination.limits)) results.push(...(await deliver(batch)));
    return results;
  };
  return {
    logEvents,
    async logEvent(event) {
      const [result] = await logEvents([event]);
      if (!result) throw new TypeError('logEvent takes an event');
      if (!('code' in result)) return result;
      throw result.status === 'rejected' ? new AuditEventRejected(result) : new AuditLogUnavailable(result);
    },
  };
}

function destinationOf(options: HttpsOptions | BusOptions): Destination {
  if ('url' in options) return httpsDestination(options.url);
  const domain = options.region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
  return busDestination(options.busName, options.source, options.endpoint ?? `https://events.${options.region}.${domain}`);
}

/** In order, each as long as the limits allow; an event that is longer alone goes alone, and is refused with the reason. */
function batchesOf(events: readonly AuditEvent[], limits: Destination['limits']): readonly (readonly AuditEvent[])[] {
  const batches: AuditEvent[][] = [];
  let bytes = 0;
  for (const event of events) {
    const length = Buffer.byteLength(JSON.stringify(event)) + 1;
    const last = batches.at(-1);
    if (last && last.length < limits.events && bytes + length <= limits.bytes) last.push(event);
    else batches.push([event]);
    bytes = batches.at(-1) === last ? bytes + length : length;
  }
  return batches;
}

/** Sends a batch until each event has an answer that stands, or there are no attempts left. Only what has none is sent again, under the same ids. */
function deliverer(destination: Destination, options: HttpsOptions | BusOptions) {
  const { attempts = 8, firstWaitMilliseconds = 100, timeoutMilliseconds = 35_000, region, credentials, wait = timer } = options;
  const post = signedPoster({ region, credentials, timeoutMilliseconds });

  return async (batch: readonly AuditEvent[]): Promise<readonly LogResult[]> => {
    const results: LogResult[] = batch.map(({ eventId }) => unavailable(eventId, 'no-answer', 'It was not sent.'));
    let left = [...batch.keys()];
    for (let attempt = 1; attempt <= attempts && left.length > 0; attempt++) {
      const events = left.flatMap((index) => batch[index] ?? []);
      const { told, isFinal, retryAfterSeconds = 0 } = await attemptOnce(events);
      left.forEach((index, place) => {
        results[index] = told[place] ?? unavailable(batch[index]?.eventId ?? '', 'no-answer', 'It was not answered.');
      });
      if (isFinal) break;
      left = left.filter((index) => results[index]?.status === 'unavailable');
      const backoff = Math.min(5000, firstWaitMilliseconds * 2 ** (attempt - 1)) * Math.random();
      if (left.length > 0 && attempt < attempts)
        await wait(Math.max(backoff, Math.min(LONGEST_WAIT_MILLISECONDS, retryAfterSeconds * 1000)));
    }
    return results;
  };

  async function attemptOnce(events: readonly AuditEvent[]): Promise<Attempt> {
    let answer: Answer;
    try {
      answer = await post(destination.post(events));
    } catch (error) {
      const why = error instanceof Error ? `${error.name}: ${error.message}` : 'unknown';
      return { told: events.map(({ eventId }) => unavailable(eventId, 'no-answer', why)), isFinal: false };
    }
    const told = destination.read(events, answer);
    const { retryAfterSeconds } = answer;
    if (told) return { told, isFinal: false, ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }) };
    const reason = `The log answered ${answer.status}${answer.status === 403 ? ': may this principal call it, and is the Region right?' : '.'}`;
    return {
      told: events.map(({ eventId }) => unavailable(eventId, `http-${answer.status}`, reason)),
      isFinal: !isRetryable(answer),
      ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    };
  }
}

interface Attempt {
  readonly told: readonly LogResult[];
  /** Whether another attempt would be answered the same. */
  readonly isFinal: boolean;
  readonly retryAfterSeconds?: number;
}
