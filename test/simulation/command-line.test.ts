import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const main = fileURLToPath(new URL('../../simulation/main.ts', import.meta.url));
function simulate(...args: readonly string[]) {
  return spawnSync(process.execPath, [main, ...args], { encoding: 'utf8', env: { ...process.env, NO_COLOR: '1' } });
}
/** Each call is a process of its own, which synthesizes the machine first. */
const limit = 180_000;

describe('npm run simulate', () => {
  it('plays seeds on several threads, tells machines how it went, and ends with 1 and the seed when a promise is broken', {
    timeout: limit,
  }, () => {
    const { status, stdout } = simulate('--seeds', '8', '--threads', '2', '--json', '--break', 'promotion-before-the-commit');
    expect(status).toBe(1);
    const { played, failures } = JSON.parse(stdout);
    expect(played).toBe(8);
    expect(failures).toContainEqual(expect.objectContaining({ seed: 1, promise: 'P1' }));
  });

  it('replays a seed with its timeline', { timeout: limit }, () => {
    const { status, stdout } = simulate('--seed', '1');
    expect(status).toBe(0);
    expect(stdout).toMatch(/step promote-replica us-west-2 +promote hms in us-west-2/);
    expect(stdout).toContain('every promise held');
  });
});
