import type { IncidentPolicy, Rotation } from '../functions/common/incident-policy.ts';
import type { ConfigProblem } from './invalid-config.ts';
import { problem } from './rule.ts';

type RotationRule = (policy: IncidentPolicy) => readonly ConfigProblem[];

/** Whether `upper`, lying above, leaves `lower` no moment: it counts whenever the lower one does, from no later on. */
function hides(upper: Rotation, lower: Rotation): boolean {
  const begins = ({ from, handOver: { at } }: Rotation) => `${from}T${at}`;
  if (begins(upper) > begins(lower)) return false;
  return upper.only === undefined || (lower.only !== undefined && JSON.stringify(upper.only) === JSON.stringify(lower.only));
}

/** Two rotations that are equal, or one that never counts because another lies over it: somebody believes that they share the work. */
const everyLayerCounts: RotationRule = ({ schedules }) =>
  schedules.flatMap(({ id, layers }, schedule) =>
    layers.flatMap((layer, index) => {
      const above = layers.findIndex((upper, position) => position > index && hides(upper, layer));
      if (above < 0) return [];
      const equal = JSON.stringify(layers[above]) === JSON.stringify(layer);
      return [
        problem(
          ['incidents', 'schedules', schedule, 'layers', index],
          layer.people,
          equal
            ? `a rotation of its own: layer ${above} of ${id} is the same, and lies over it`
            : `a rotation that counts at some time: layer ${above} of ${id} lies over it whenever it would`,
          `Remove it, restrict layer ${above} (only: [...]), or write it below: the last layer that has somebody on duty wins.`,
        ),
      ];
    }),
  );

export const rotationRules: readonly RotationRule[] = [everyLayerCounts];
