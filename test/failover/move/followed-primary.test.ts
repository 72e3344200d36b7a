import { describe, expect, test } from 'vitest';
import { Epoch } from '../../../functions/failover/models.ts';
import { whyAstray } from '../../../functions/failover/move/followed-primary.ts';
import { east } from '../../support/failover-world.ts';

const since = (epoch: number | undefined) => ({ primarySince: epoch === undefined ? undefined : Epoch.parse(epoch) });
const leased = (epoch: number) => ({ installed: true, epoch: Epoch.parse(epoch), holder: east });
const closed = (epoch: number) => ({ installed: true, epoch: Epoch.parse(epoch), holder: undefined });

describe('whether a replica follows the primary of today', () => {
  test('it does with a lease of the epoch in which that was opened, and of every later one', () => {
    expect(whyAstray(leased(5), since(5))).toBeUndefined();
    // Two claims were given back since, the primary was closed and opened again for each: its history is one.
    expect(whyAstray(leased(9), since(5))).toBeUndefined();
    expect(whyAstray(closed(8), since(5))).toBeUndefined();
  });

  test('it does not with a lease of an earlier epoch', () => {
    expect(whyAstray(leased(3), since(5))).toBe('follows a primary of epoch 3, not 5');
  });

  test('it does not when its source was closed for that epoch and never opened in it', () => {
    expect(whyAstray(closed(5), since(5))).toBe('follows what was closed for epoch 5, not what was opened in it');
  });

  test('without a lease nobody can tell', () => {
    expect(whyAstray({ installed: false, epoch: Epoch.parse(0), holder: undefined }, since(5))).toContain('shows no lease');
  });

  test('in the first epoch, and where nothing has ever changed, there is nothing else to follow', () => {
    for (const first of [undefined, 1])
      for (const state of [leased(1), { installed: false, epoch: Epoch.parse(0), holder: undefined }])
        expect(whyAstray(state, since(first))).toBeUndefined();
  });
});
