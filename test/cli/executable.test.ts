import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';

/** Runs bin/codeblue.mjs as people do; `pretendVersion` makes its Node tell another version. */
function codeblue(words: readonly string[], pretendVersion?: string) {
  const pretend = `Object.defineProperty(process.versions, 'node', { value: '${pretendVersion}' })`;
  const flags = pretendVersion === undefined ? [] : ['--import', `data:text/javascript,${encodeURIComponent(pretend)}`];
  const { stdout, stderr, status } = spawnSync(process.execPath, [...flags, 'bin/codeblue.mjs', ...words], { encoding: 'utf8' });
  return { stdout, stderr, status };
}

describe('the executable', () => {
  test.each(['18.20.4', '20.20.2', '22.17.1'])('on Node %s says what it got, what it wants and what to do', (version) => {
    const { stdout, stderr, status } = codeblue(['--version'], version);
    expect({ stdout, status }).toEqual({ stdout: '', status: 1 });
    expect(stderr).toContain('needs Node 22.18 or later');
    expect(stderr).toContain(`this is Node ${version}`);
    expect(stderr).toContain('npm run codeblue');
  });

  test.each(['22.18.0', '24.0.0'])('runs on Node %s', (version) => {
    expect(codeblue(['--version'], version)).toMatchObject({ stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/), status: 0 });
  });

  test('passes the exit code on', () => {
    expect(codeblue(['statsu']).status).toBe(2);
  });
});
