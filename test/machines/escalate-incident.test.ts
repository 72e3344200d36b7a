import { describe, expect, test } from 'vitest';
import { EscalationRecord } from '../../functions/incidents/models.ts';
import { synthesizedMachines } from '../../lib/synthesized.ts';
import { parseDefinition } from '../../simulation/machine/definition.ts';
import { execute } from '../../simulation/machine/interpreter.ts';
import { escalating } from '../support/escalation-world.ts';
import { anIncident } from '../support/incidents.ts';
import { testOperations } from '../support/operations.ts';

const machine = parseDefinition(synthesizedMachines(escalating).find(({ name }) => name === 'escalate-incident')?.definition);
const wakeAt = '2026-11-21T07:05:00.000Z';

/** Executes it with steps that find what they are told to, in turn; a string that is no status is thrown. */
async function run(finds: readonly string[]) {
  const [states, waits]: [string[], string[]] = [[], []];
  let calls = 0;
  let retries = 0;
  const ending = await execute(
    machine,
    { incidentId: anIncident().id, generation: 1 },
    {
      async invoke(operation, record) {
        const found = finds[Math.min(calls++, finds.length - 1)] ?? '';
        if (!EscalationRecord.shape.status.unwrap().safeParse(found).success && found !== 'unheard-of')
          throw Object.assign(new Error(operation), { name: found });
        return { ...(record as object), status: found, wakeAt };
      },
      async wait() {
        retries++;
      },
      async waitUntil(instant) {
        waits.push(instant);
      },
      draw: () => 0.5,
      onState: (state) => void states.push(state),
    },
  );
  return { states, waits, calls, retries, end: ending.state, succeeded: ending.status === 'succeeded' };
}

describe('the machine escalate-incident', () => {
  test('tells, waits until the time that the plan says, and looks again until it is over', async () => {
    const { states, waits, end, succeeded } = await run(['tell', 'waiting', 'waiting', 'over']);
    const look = ['Who must be told now?', 'Is anybody to be told?'];
    expect(states).toEqual([
      ...look,
      'Tell them',
      'Wait for an answer',
      ...look,
      'Wait for an answer',
      ...look,
      'Nobody must be told any more',
    ]);
    expect([waits, end, succeeded]).toEqual([[wakeAt, wakeAt], 'Nobody must be told any more', true]);
  });

  test('ends when the next execution goes on', async () => {
    expect(await run(['relay'])).toMatchObject({ end: 'The next execution goes on', succeeded: true });
  });

  test.each([
    ['Who must be told now?', ['Broken']],
    ['Tell them', ['tell', 'Broken']],
  ])('insists for two hours in "%s", whatever is thrown, and then fails', async (_, finds) => {
    const { end, succeeded, retries } = await run(finds);
    expect([end, succeeded, retries]).toEqual(['Somebody may not have been told', false, 240]);
  });

  test('fails on what no step says', async () => {
    expect(await run(['unheard-of'])).toMatchObject({ end: 'Somebody may not have been told', succeeded: false });
  });

  test('an execution keeps within what Step Functions remembers', () => {
    // A task is five events, a choice two, a wait two; 1 000 looks and tellings (plan-pages), and the retries of both steps.
    expect(1000 * (5 + 2 + 5 + 2) + 2 * 240 * 4).toBeLessThan(25_000);
    expect(Object.values(machine.States).filter((state) => state.Type === 'Wait')).toEqual([
      expect.objectContaining({ TimestampPath: '$.wakeAt' }),
    ]);
  });

  test('there is none while alarms go by mail', () => {
    const { incidents, ...operations } = testOperations();
    const byMail = { ...operations, incidents: { ...incidents, mode: 'off' as const } };
    expect(synthesizedMachines(byMail).some(({ name }) => name === 'escalate-incident')).toBe(false);
  });
});
