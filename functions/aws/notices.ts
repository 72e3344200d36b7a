import { PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import { alarmTopicArn } from '../common/names.ts';
import type { Notices } from '../failover/ports.ts';
import { clientOptions, perRegion } from './client-options.ts';
import { calling } from './errors.ts';
import type { AwsSettings } from './settings.ts';

const snsIn = perRegion((region) => new SNSClient(clientOptions(region)));

/** Longest subject that SNS takes; ASCII without line breaks. */
const subjectLimit = 100;

/** The alarm topic of the Region, that its alarms ring on too. */
export function noticesPort({ operations }: Pick<AwsSettings, 'operations'>): Notices {
  return {
    async publish({ region, severity, subject, text }) {
      const plain = `Codeblue ${operations.name}: ${subject}`.replace(/[^\x20-\x7e]/g, ' ').slice(0, subjectLimit);
      const command = new PublishCommand({
        TopicArn: alarmTopicArn(operations, region),
        Subject: plain,
        Message: `Severity ${severity} · ${operations.name} · ${region}\n\n${text}`,
      });
      await calling(`publish a notice in ${region}`, () => snsIn(region).send(command));
    },
  };
}
