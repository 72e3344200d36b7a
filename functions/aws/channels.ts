import type { ContactMethod } from '../common/incident-policy.ts';
import { contactKey } from '../incidents/paging/contact.ts';
import type { Channels } from '../incidents/ports.ts';
import { type Http, pagerDuty, slack } from './chat-channels.ts';
import type { AwsSettings } from './settings.ts';
import { topicChannels } from './topic-channels.ts';

/**
 * SNS for e-mail, SMS and HTTPS, PagerDuty's Events API v2 and Slack's incoming webhooks.
 *
 * @param http tests answer in the place of the internet
 */
export function channelsPort(settings: AwsSettings, http: Http = fetch): Channels {
  const topics = topicChannels(settings);
  const kinds: Readonly<Record<ContactMethod['kind'], Channels>> = {
    email: topics,
    sms: topics,
    https: topics,
    pagerduty: pagerDuty(settings, http),
    slack: slack(settings, http),
  };
  return {
    send: (to, text) => kinds[to.method.kind].send(to, text),
    async check(to) {
      const findings = await kinds[to.method.kind].check(to);
      return findings.map((finding) => `${to.person} by ${contactKey(to.method)} in ${settings.region}: ${finding}`);
    },
  };
}
