import type { FailoverStage } from './stage.ts';

/**
 * P4. What died in the middle of an act left its intent alone: the same act on the same thing must then have been carried out by whoever went
 * on, or have been given up on the record.
 */
export async function auditTrail({ world, phases, findings }: FailoverStage): Promise<void> {
  await phases.run('Read the audit log', async () => {
    const events = await world.lab.ports().auditLog.recent(new Date(0), 1_000_000);
    const outcomes = new Set(events.filter(({ phase }) => phase === 'outcome').map(({ actId }) => actId));
    const intents = events.filter(({ phase }) => phase === 'intent');
    const open = intents.filter(({ actId }) => !outcomes.has(actId));
    const unresolved = open.filter(
      ({ action, resource, at }) =>
        !events.some((later) => later.phase === 'outcome' && later.action === action && later.resource === resource && later.at >= at),
    );
    findings.promise(
      'P4',
      'Every act is in the audit log, intent before and outcome after; what died half-way was done again.',
      intents.length > 0 && unresolved.length === 0,
      `${events.length} events, ${open.length} interrupted, ${unresolved.length} never done again${unresolved[0] ? `: ${unresolved[0].action} ${unresolved[0].resource}` : ''}`,
    );
  });
}
