import { beforeEach, describe, expect, it } from 'vitest';
import type { QueueName } from '../../functions/common/names.ts';
import { Signal } from '../../functions/incidents/models.ts';
import type { SignalQueue } from '../../functions/incidents/ports.ts';
import { aSignal } from '../support/incidents.ts';

/** What every queue of signals must do. `taken` is what a consumer of one queue gets, until there is no more. */
export function signalQueueContract(
  makePort: () => Promise<{ readonly signalQueue: SignalQueue; taken(queue: QueueName): Promise<readonly string[]> }>,
): void {
  describe('the queues of signals', () => {
    let signalQueue: SignalQueue;
    let taken: (queue: QueueName) => Promise<readonly Signal[]>;
    beforeEach(async () => {
      const made = await makePort();
      signalQueue = made.signalQueue;
      taken = async (queue) => (await made.taken(queue)).map((body) => Signal.parse(JSON.parse(body)));
    });

    it('give severity 1 and acknowledgements a queue of their own', async () => {
      const worst = aSignal({ severity: 1, subject: 'orders' });
      const answered = aSignal({ severity: 4, action: 'acknowledge', subject: 'patients' });
      const others = ([2, 3, 4] as const).map((severity) => aSignal({ severity, subject: 'imaging', alarm: `Alarm${severity}` }));
      await signalQueue.send([...others, worst, answered]);
      const urgent = await taken('urgent-signals');
      expect(urgent.map(({ subject }) => subject).sort()).toEqual(['orders', 'patients']);
      expect((await taken('signals')).map(({ severity }) => severity).sort()).toEqual([2, 3, 4]);
    });

    it('take many at a time, and lose none', async () => {
      const signals = Array.from({ length: 57 }, (_, index) => aSignal({ alarm: `Alarm${index}` }));
      await signalQueue.send(signals);
      const ids = new Set((await taken('signals')).map(({ signalId }) => signalId));
      expect([...ids].sort()).toEqual(signals.map(({ signalId }) => signalId).sort());
    });

    it('take whatever a note says, as it is', async () => {
      const note = '\u0000\u001f\u007f <&> "ä€😀" \ufffe\uffff'.repeat(80).slice(0, 2000);
      await signalQueue.send([aSignal({ note })]);
      expect(await taken('signals')).toMatchObject([{ note }]);
    });

    it('take nothing without complaint', async () => {
      await expect(signalQueue.send([])).resolves.toBeUndefined();
    });
  });
}
