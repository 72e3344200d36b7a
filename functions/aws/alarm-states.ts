import { CloudWatchClient, DescribeAlarmsCommand } from '@aws-sdk/client-cloudwatch';
import { timestamp } from '../common/ids.ts';
import type { AlarmStates } from '../incidents/ports.ts';
import { clientOptions, perRegion } from './client-options.ts';
import { calling } from './errors.ts';

const alarmsIn = perRegion((region) => new CloudWatchClient(clientOptions(region)));

const states = { OK: 'ok', ALARM: 'alarm', INSUFFICIENT_DATA: 'insufficient-data' } as const;

/** CloudWatch: alarms on metrics, and composites of them. */
export function alarmStatesPort(): AlarmStates {
  return {
    async state(region, alarmName) {
      // Without the types it would leave composite alarms out.
      const command = new DescribeAlarmsCommand({ AlarmNames: [alarmName], AlarmTypes: ['MetricAlarm', 'CompositeAlarm'] });
      const { MetricAlarms = [], CompositeAlarms = [] } = await calling(`describe the alarm ${alarmName} in ${region}`, () =>
        alarmsIn(region).send(command),
      );
      const [found] = [...MetricAlarms, ...CompositeAlarms];
      if (!found?.StateValue) return undefined;
      // An update that leaves the state as it was moves StateUpdatedTimestamp; an older service, or an emulator, knows no other.
      const since = found.StateTransitionedTimestamp ?? found.StateUpdatedTimestamp;
      return since && { state: states[found.StateValue], since: timestamp(since) };
    },
  };
}
