import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { z } from 'zod';
import { InvalidInput, NotFound, ServiceUnavailable } from '../common/errors.ts';
import type { Severity } from '../common/incident-policy.ts';
import { secretArnIn } from '../common/names.ts';
import { ChannelRefused } from '../incidents/paging/errors.ts';
import type { PageFacts, PageText } from '../incidents/paging/page-text.ts';
import type { Channels } from '../incidents/ports.ts';
import { clientOptions, perRegion } from './client-options.ts';
import { calling, errorNameOf } from './errors.ts';
import type { AwsSettings } from './settings.ts';

/** As `fetch`. */
export type Http = (url: string, request: RequestInit) => Promise<Response>;

const secretsIn = perRegion(
  (region) =>
    new SecretsManagerClient({
      ...clientOptions(region),
      maxAttempts: 2,
      requestHandler: { connectionTimeout: 1_000, requestTimeout: 2_000, throwOnRequestTimeout: true },
    }),
);

const timeoutMilliseconds = 5_000;
/** A key that was changed is used after so long at the latest. */
const keepMilliseconds = 300_000;

/** PagerDuty, "Send an event": the answer to everything that is taken is 202 with the key. */
const enqueue = 'https://events.pagerduty.com/v2/enqueue';
const Enqueued = z.object({ dedup_key: z.string() });
const pagerDutySeverities: Readonly<Record<Severity, string>> = { 1: 'critical', 2: 'error', 3: 'warning', 4: 'info' };

/** The deployment's PagerDuty service. The page's id is the event's dedup_key: a page that is sent twice is one there. */
export function pagerDuty(settings: AwsSettings, http: Http): Channels {
  const key = secretText(settings, settings.operations.incidents.channels.pagerdutyRoutingKeySecretArn, /^[A-Za-z0-9]{32}$/);
  return {
    async send({ pageId, person }, text) {
      const { facts } = text;
      const event = {
        routing_key: await key(),
        event_action: 'trigger',
        dedup_key: pageId.slice(0, 255),
        client: `Codeblue ${settings.operations.name}`,
        payload: {
          summary: text.subject,
          source: `codeblue/${facts.region}`,
          severity: pagerDutySeverities[facts.severity],
          component: facts.kind === 'test' ? 'paging' : facts.subject,
          class: facts.kind === 'test' ? 'PagingTest' : facts.alarm,
          custom_details: { person, ...facts },
        },
        links: linksOf(facts),
      };
      const response = await post(http, enqueue, event, 'PagerDuty');
      const answer = Enqueued.safeParse(await response.json().catch(() => undefined));
      return answer.data?.dedup_key ?? pageId;
    },
    check: () => findingsOf(key),
  };
}

const linksOf = (facts: PageFacts): readonly { readonly href: string; readonly text: string }[] =>
  facts.kind === 'incident' && facts.acknowledgeUrl ? [{ href: facts.acknowledgeUrl, text: 'Acknowledge' }] : [];

/** The deployment's Slack channel, by an incoming webhook. Slack knows no idempotency: a page that is sent twice stands there twice. */
export function slack(settings: AwsSettings, http: Http): Channels {
  const address = secretText(settings, settings.operations.incidents.channels.slackWebhookSecretArn, /^https:\/\/[a-z0-9.-]+\/\S+$/);
  return {
    async send({ pageId, person }, text) {
      const response = await post(http, await address(), { text: slackText(person, text) }, 'Slack');
      await response.body?.cancel();
      return response.headers.get('x-slack-unique-id') ?? `slack ${pageId}`;
    },
    check: () => findingsOf(address),
  };
}

const slackText = (person: string, { subject, body }: PageText): string => `*${subject}* (for ${person})\n${body}`;

/** @throws ChannelRefused for 4xx, ServiceUnavailable for 429, 5xx and no answer within 5 s */
async function post(http: Http, url: string, body: unknown, who: string): Promise<Response> {
  let response: Response;
  try {
    response = await http(url, {
      method: 'POST',
      redirect: 'error',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(timeoutMilliseconds),
    });
  } catch (error) {
    // Not its message: that may quote the address, which for Slack is the key.
    const code = error instanceof Error ? errorNameOf(error.cause ?? error) : 'unknown';
    throw new ServiceUnavailable(`${who} cannot be reached: ${code}`);
  }
  if (response.ok) return response;
  await response.body?.cancel();
  const says = `${who} answered ${response.status}`;
  throw response.status === 429 || response.status >= 500 ? new ServiceUnavailable(says) : new ChannelRefused(says);
}

/**
 * A secret's text, from this Region's replica of it: a page must not need the Region that is lost.
 *
 * @returns throws ChannelRefused where there is none or it has another shape, ServiceUnavailable; its text is never quoted
 */
function secretText({ region, clock }: AwsSettings, arn: string | undefined, shape: RegExp): () => Promise<string> {
  let kept: { readonly text: string; readonly until: number } | undefined;
  return async () => {
    if (kept && kept.until > clock.now().getTime()) return kept.text;
    if (arn === undefined) throw new ChannelRefused('the config names no secret for it');
    try {
      const command = new GetSecretValueCommand({ SecretId: secretArnIn(arn, region) });
      const { SecretString = '' } = await calling('read a secret', () => secretsIn(region).send(command));
      const text = SecretString.trim();
      if (!shape.test(text)) throw new ChannelRefused('its secret has not the shape of a key or an address');
      kept = { text, until: clock.now().getTime() + keepMilliseconds };
      return text;
    } catch (error) {
      if (kept && error instanceof ServiceUnavailable) return kept.text;
      if (error instanceof NotFound) throw new ChannelRefused(`its secret does not exist in ${region}: replicate it there`);
      if (error instanceof InvalidInput) throw new ChannelRefused('its secret cannot be read', { cause: error });
      throw error;
    }
  };
}

async function findingsOf(key: () => Promise<string>): Promise<readonly string[]> {
  try {
    await key();
    return [];
  } catch (error) {
    if (error instanceof ChannelRefused) return [error.message];
    throw error;
  }
}
