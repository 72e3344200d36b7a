import { describe, expect, it } from 'vitest';
import { NotFound } from '../../../functions/common/errors.ts';
import type { Executions } from '../../../functions/maintenance/ports.ts';
import { aSignal } from '../../support/incidents.ts';
import { aRunbook, restartOrders } from '../../support/runbook-world.ts';
import { triageWorld } from '../../support/triage-world.ts';

const queries = aRunbook(
  { kind: 'end-long-queries', database: 'hms', olderThan: restartOrders.helpsWithin },
  { id: 'queries', alarm: 'ConnectionsHigh' },
);
const world = () => triageWorld({ policy: { runbooks: [restartOrders, { ...queries, subject: undefined }] } });
const started = ({ ports }: ReturnType<typeof world>) =>
  ports.executions.started.filter(({ machine }) => machine === 'run-runbook').map(({ name }) => name);

describe('an alarm that rings', () => {
  it('starts what is for it, once for each generation of its incident', async () => {
    const given = world();
    await given.triage([aSignal({ at: given.at(0) })]);
    await given.triage([aSignal({ at: given.at(60) })]);
    const [incident] = await given.open();
    expect(started(given)).toEqual([`${incident?.id}-1-mend`]);
    expect(given.told()).toEqual([`${incident?.id}-1`]);
  });

  it('about something else starts nothing', async () => {
    const given = world();
    await given.triage([
      aSignal({ subject: 'imaging', at: given.at(0) }),
      aSignal({ alarm: 'ConnectionsHigh', subject: 'billing', at: given.at(0) }),
    ]);
    expect(started(given)).toEqual([]);
    await given.triage([aSignal({ alarm: 'ConnectionsHigh', subject: 'hms', at: given.at(5) })]);
    expect(started(given)).toEqual([expect.stringMatching(/-\d+-queries$/)]);
  });

  it('is told to people even where the machine is not deployed', async () => {
    const given = world();
    const executions: Executions = {
      ...given.ports.executions,
      start: async (request) => {
        if (request.machine === 'run-runbook') throw new NotFound('there is no such machine');
        await given.ports.executions.start(request);
      },
    };
    await given.triage([aSignal({ at: given.at(0) })], { executions });
    expect({ told: given.told().length, started: started(given) }).toEqual({ told: 1, started: [] });
  });
});
