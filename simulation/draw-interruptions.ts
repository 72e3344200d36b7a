import { candidates, operatedRegions } from './operations.ts';
import type { Random } from './random.ts';
import type { AimedInterruption } from './scenario.ts';
import type { Troubles } from './troubles.ts';
import { toMicros } from './virtual-time.ts';

/** The calls that the safety of the protocol turns on. */
const delicate = {
  guardian: ['coordination.replace', 'fence.renew', 'fence.clock', 'coordination.read', 'fence.close', 'coordination.putReceipt'],
  step: ['coordination.replace', 'coordination.read', 'replicas.promote', 'replicas.swapIn', 'fence.renew', 'fence.clock', 'audit'],
} as const;

/**
 * Runs that die or stand still: anywhere, or at a delicate call. Guardians are aimed at about when the trouble begins: a renewal that is under way then is
 * what may come too late.
 */
export function drawInterruptions(random: Random, { faults, acts = [] }: Troubles): AimedInterruption[] {
  const drawn: AimedInterruption[] = [];
  const length = () =>
    toMicros(
      random.weighted([
        [2, random.between(0.2, 6)],
        [3, random.between(6, 45)],
      ]),
    );
  const what = (dies: number) => (random.chance(dies) ? ({ kind: 'dies' } as const) : ({ kind: 'freezes', for: length() } as const));
  const when = () => (random.chance(0.5) ? 'before' : 'after');
  if (random.chance(0.4)) {
    for (let count = random.int(1, 3); count > 0; count--) {
      drawn.push({ who: 'step', nth: random.int(1, 22), interruption: { ...aimAtStep(random), when: when(), what: what(0.6) } });
    }
  }
  if (random.chance(0.45)) {
    const troubleAt = (faults[0]?.at ?? acts[0]?.at ?? toMicros(20)) / toMicros(1);
    for (let count = random.int(1, 2); count > 0; count--) {
      const renewal = Math.max(1, Math.round((troubleAt + random.between(-12, 3)) / 6)); // one each 6 s
      const aim = random.chance(0.3) ? { call: random.int(4, 60) } : { on: random.pick(delicate.guardian), call: renewal };
      drawn.push({ who: `guard-lease ${random.pick(candidates)}`, nth: 1, interruption: { ...aim, when: when(), what: what(0.15) } });
    }
  }
  if (random.chance(0.15)) {
    const who = `observe-regions ${random.pick(operatedRegions)}`;
    drawn.push({ who, nth: random.int(1, 2), interruption: { call: random.int(4, 100), when: when(), what: what(0.4) } });
  }
  return drawn;
}

const aimAtStep = (random: Random) => (random.chance(0.5) ? { call: random.int(1, 8) } : { on: random.pick(delicate.step), call: 1 });

/** In every third run some steps die, and nothing else: what P3 is judged by. */
export function drawDeaths(random: Random): AimedInterruption[] {
  if (!random.chance(0.33)) return [];
  return Array.from({ length: random.int(1, 3) }, () => {
    const when = random.chance(0.5) ? ('before' as const) : ('after' as const);
    return { who: 'step', nth: random.int(1, 22), interruption: { ...aimAtStep(random), when, what: { kind: 'dies' as const } } };
  });
}
