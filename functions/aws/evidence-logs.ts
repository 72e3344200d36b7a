import { CloudWatchLogsClient, FilterLogEventsCommand, paginateDescribeLogGroups } from '@aws-sdk/client-cloudwatch-logs';
import { type Region, timestamp } from '../common/ids.ts';
import { ownLogGroupPrefixes } from '../common/names.ts';
import type { EvidenceGroup, EvidenceLogs } from '../failover/ports.ts';
import { clientOptions, perRegion } from './client-options.ts';
import { calling } from './errors.ts';
import type { AwsSettings } from './settings.ts';

const logsIn = perRegion((region) => new CloudWatchLogsClient(clientOptions(region)));

/** CloudWatch Logs: Codeblue's own groups by their prefixes, the workload's and CloudTrail's by the names of the config. */
export function evidenceLogsPort({ operations }: Pick<AwsSettings, 'operations'>): EvidenceLogs {
  const named = (region: Region): readonly string[] => operations.failover.evidence.logGroups[region] ?? [];

  async function beginningWith(region: Region, prefix: string): Promise<readonly string[]> {
    const pages = paginateDescribeLogGroups({ client: logsIn(region) }, { logGroupNamePrefix: prefix })[Symbol.asyncIterator]();
    const names: string[] = [];
    for (;;) {
      const page = await calling(`list the log groups ${prefix}* in ${region}`, () => pages.next());
      if (page.done) return names;
      names.push(...(page.value.logGroups ?? []).flatMap(({ logGroupName }) => logGroupName ?? []));
    }
  }

  return {
    async groups(region) {
      const groups = new Map<string, EvidenceGroup>();
      for (const prefix of ownLogGroupPrefixes(operations)) {
        for (const name of await beginningWith(region, prefix)) groups.set(name, { name, exists: true });
      }
      for (const name of named(region)) {
        const exists = groups.has(name) || (await beginningWith(region, name)).includes(name);
        groups.set(name, { name, exists });
      }
      return [...groups.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
    },
    async page({ region, group, from, until, cursor }) {
      const command = new FilterLogEventsCommand({
        logGroupName: group,
        startTime: from.getTime(),
        endTime: until.getTime() - 1, // the service includes both ends
        ...(cursor === undefined ? {} : { nextToken: cursor }),
      });
      const { events = [], nextToken } = await calling(`read ${group} in ${region}`, () => logsIn(region).send(command));
      return {
        events: events.map(({ eventId = '', timestamp: at = 0, logStreamName: stream = '', message = '' }) => ({
          ...{ id: eventId, at: timestamp(new Date(at)), stream, message },
        })),
        ...(nextToken === undefined ? {} : { cursor: nextToken }),
      };
    },
  };
}
