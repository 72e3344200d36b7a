import { auditEventsEndpoint } from '../../functions/audit/ingest/audit-events-endpoint.ts';
import { logAuditEvents } from '../../functions/audit/ingest/log-audit-events.ts';
import { seconds } from '../../functions/common/duration.ts';
import type { Logger } from '../../functions/common/logger.ts';
import { auditDetailTypes } from '../../functions/common/names.ts';
import type { Operations } from '../../functions/common/operations.ts';
import type { Ports } from '../../functions/common/ports.ts';
import { runConsumer } from '../../functions/handlers/run-consumer.ts';
import { runEndpoint } from '../../functions/handlers/run-endpoint.ts';
import { memoryWorld } from './host.ts';

export const callerArn = 'arn:aws:sts::111122223333:assumed-role/registration/i-0aa1';

interface Request {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
  readonly base64?: boolean;
  /** Null for a request that nobody signed. */
  readonly caller?: string | null;
}

/** The doors of the audit log in memory, run as their hosts run them; `lines` is all that they log. */
export function auditDoors(given: { readonly operations?: Operations; readonly ports?: Partial<Ports>; readonly start?: string } = {}) {
  const world = memoryWorld({
    ...(given.operations ? { operations: given.operations } : {}),
    ...(given.start ? { start: given.start } : {}),
  });
  const lines: string[] = [];
  const line =
    (level: string) =>
    (message: string, facts: unknown = {}) =>
      void lines.push(JSON.stringify([level, message, facts]));
  const log: Logger = { info: line('info'), warn: line('warn'), error: line('error') };
  const ports = { ...world.ports, ...given.ports };
  const host = { ...world.hostAt({ ports }), log };
  const deadline = () => new Date(world.clock.now().getTime() + seconds(10) * 1000);
  let [requests, messages] = [0, 0];
  const ask = async ({ method = 'POST', path = '/v1/events', headers = {}, body, base64 = false, caller = callerArn }: Request) => {
    const answer = await runEndpoint(
      auditEventsEndpoint,
      {
        rawPath: path,
        headers,
        requestContext: {
          requestId: `request-${++requests}`,
          http: { method },
          ...(caller === null ? {} : { authorizer: { iam: { userArn: caller } } }),
        },
        ...(body === undefined ? {} : { body }),
        isBase64Encoded: base64,
      },
      host,
      deadline(),
    );
    return { ...answer, json: JSON.parse(answer.body) };
  };
  return {
    ...world,
    ports,
    host,
    lines,
    metrics: world.ports.metrics,
    ask,
    send: (events: unknown, request: Request = {}) => ask({ body: JSON.stringify(events), ...request }),
    /** What EventBridge makes of an entry. */
    envelope: (detail: unknown, more: Readonly<Record<string, unknown>> = {}): string =>
      JSON.stringify({
        ...{ version: '0', id: 'e1', 'detail-type': auditDetailTypes.one, source: 'hms.registration', account: '111122223333' },
        ...{ time: world.clock.now().toISOString().replace(/\.\d+/, ''), region: 'us-east-1', resources: [], detail, ...more },
      }),
    /** One delivery of these messages to the consumer. @returns the ids of those that are delivered again */
    async deliver(...bodies: readonly string[]): Promise<readonly string[]> {
      const Records = bodies.map((body) => ({ messageId: `m-${++messages}`, body }));
      const { batchItemFailures } = await runConsumer(logAuditEvents, { Records }, host, deadline());
      return batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
    },
    /** The same message once more, under the id that it had. */
    async redeliver(messageId: string, body: string): Promise<readonly string[]> {
      const { batchItemFailures } = await runConsumer(logAuditEvents, { Records: [{ messageId, body }] }, host, deadline());
      return batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
    },
  };
}
