import { machineArn } from '../../common/names.ts';
import { type MachineName, machineNames } from '../../maintenance/ports.ts';
import { judgingRegions } from '../../verify/judging-regions.ts';
import { runsRunbooks } from '../runbooks/targets.ts';
import { type AlarmRow, type AlarmScope, alarmRow, canLead, moves } from './alarm-row.ts';

type Place = (scope: AlarmScope) => boolean;
const whereBackupsAreJudged: Place = ({ operations, region }) => judgingRegions(operations).includes(region);
const everywhere: Place = () => true;
const whereTheLeadCanMoveTo: Place = (scope) => canLead(scope) && moves(scope);
const whereIncidentsAreWorked: Place = ({ operations }) => operations.incidents.mode === 'on';

const whereRunbooksRun: Place = (scope) => whereIncidentsAreWorked(scope) && runsRunbooks(scope.operations, scope.region);

/** Of each machine: where it is deployed, and what an execution leaves undone that the machine's own limit stops. */
const watched: Readonly<Record<MachineName, { readonly where: Place; readonly cutOff: string; readonly tells?: AlarmRow['tells'] }>> = {
  'verify-recovery-point': { where: whereBackupsAreJudged, cutOff: 'nothing was torn down' },
  'verify-state-backup': { where: everywhere, cutOff: 'nothing was torn down' },
  failover: { where: whereTheLeadCanMoveTo, cutOff: 'nobody was called' },
  failback: { where: whereTheLeadCanMoveTo, cutOff: 'nobody was told; the primary is as it was' },
  'failover-rehearsal': { where: whereTheLeadCanMoveTo, cutOff: 'temporary databases may be left; the sweeper removes them' },
  'failover-full-test': { where: whereTheLeadCanMoveTo, cutOff: 'the lead may not be back where it was' },
  'recover-database': { where: whereTheLeadCanMoveTo, cutOff: 'a restored copy may be left, and an exchange may be under way' },
  'contain-breach': { where: whereTheLeadCanMoveTo, cutOff: 'what a breach left may not be kept' },
  'run-runbook': { where: whereRunbooksRun, cutOff: 'what it began may be half done; its incident is chased all the same' },
  // A pager that is broken is not told of by itself.
  'escalate-incident': { where: whereIncidentsAreWorked, cutOff: 'nobody is chased about its incident any more', tells: 'topic' },
};

/** Of each machine that is deployed here: an execution that failed, and one that ran into the machine's own limit. */
export const machineRows = (scope: AlarmScope): readonly AlarmRow[] =>
  machineNames
    .filter((name) => watched[name].where(scope))
    .flatMap((name) => {
      const { cutOff, tells = 'incidents' } = watched[name];
      const { operations, region } = scope;
      const common = { subject: name, fires: 'at-or-above', threshold: 1, periodSeconds: 300, dashboards: ['system'], tells } as const;
      const series = (metric: string) => ({
        namespace: 'AWS/States',
        name: metric,
        dimensions: { StateMachineArn: machineArn(operations, region, name) },
        statistic: 'Sum',
      });
      return [
        alarmRow(scope, {
          ...common,
          ...{ alarm: 'MachineFailed', severity: 2, says: `An execution of ${name} ended in failure.` },
          metric: series('ExecutionsFailed'),
          missingData: 'notBreaching', // no executions, no data
        }),
        alarmRow(scope, {
          ...common,
          ...{ alarm: 'MachineTimedOut', severity: 1, says: `An execution of ${name} hit its limit: ${cutOff}.` },
          metric: series('ExecutionsTimedOut'),
          missingData: 'notBreaching',
        }),
      ];
    });
