import { describe, expect, it } from 'vitest';
import { hear } from '../../../functions/incidents/triage/known-alarm.ts';
import { aSignal } from '../../support/incidents.ts';

describe('what is known of an alarm', () => {
  it('is named by what made it ring, also when it was heard to be well before', () => {
    const trigger = aSignal({ subject: 'orders', at: '2026-11-21T07:00:00Z' });
    const { dedupKey } = trigger;
    const resolve = { ...aSignal({ subject: 'printers', action: 'resolve', at: '2026-11-21T07:01:00Z' }), dedupKey };
    const late = { ...aSignal({ subject: 'printers', at: '2026-11-21T07:02:00Z' }), dedupKey };
    const known = hear(hear(undefined, resolve), trigger);
    expect(known).toMatchObject({ subject: 'orders', heard: [{ rings: true }, { rings: false }] });
    expect(hear(known, late).subject).toBe('orders');
  });
});
