import { describe, expect, test } from 'vitest';
import { labArguments, withPlainLabOption } from '../../cli/arguments.ts';
import { cliWorld } from '../support/cli.ts';

describe('exit codes', () => {
  test.each([
    [['statsu'], 'Did you mean status?'],
    [['status', '--jsno'], 'Did you mean --json?'],
    [['backup', 'now'], "required option '--database <id>' not specified"],
    [['backup', 'nwo'], 'Did you mean now?'],
    [['verify', 'a', 'b'], 'too many arguments'],
  ])('a command that is not understood ends with 2 and a suggestion: %j', async (words, says) => {
    const { stderr, stdout, exitCode } = await cliWorld().run(...words);
    expect(stderr).toContain(says);
    expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 2 });
  });

  test.each([[[]], [['--help']], [['help']], [['backup', '--help']], [['--version']]])(
    'asking for help or the version ends with 0: %j',
    async (words) => {
      const { stdout, stderr, exitCode } = await cliWorld().run(...words);
      expect(stdout).not.toBe('');
      expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
    },
  );

  test('help shows examples of every verb that it lists', async () => {
    const { stdout } = await cliWorld().run('--help');
    for (const verb of ['status', 'backup', 'verify', 'restore', 'doctor', 'lab'])
      expect(stdout).toMatch(new RegExp(`^ {2}codeblue ${verb}`, 'm'));
  });
});

describe('unexpected errors', () => {
  const broken = () =>
    cliWorld({
      host: {
        open: async () => {
          throw new TypeError('x is not a function');
        },
      },
    });

  test('ask for a report and show no stack', async () => {
    const { stderr, exitCode } = await broken().run('status');
    expect(stderr).toContain('error: TypeError: x is not a function');
    expect(stderr).toContain('Please report it');
    expect(stderr).not.toContain('    at ');
    expect(exitCode).toBe(1);
  });

  test('show it with --debug', async () => {
    expect((await broken().run('status', '--debug')).stderr).toContain('    at ');
  });
});

describe('--json', () => {
  test.each([
    [['status']],
    [['backup', 'list']],
    [['tasks']],
    [['doctor']],
    [['restore', '--plan']],
    [['verify']],
    [['statsu']],
    [['backup', 'now', '--database', 'hms']],
  ])('leaves one JSON document on standard output, whatever happens: %j', async (words) => {
    const { stdout, stderr } = await cliWorld({ isTTY: true }).run(...words, '--json');
    expect(() => JSON.parse(stdout)).not.toThrow();
    expect(stdout).not.toContain('\u001b[');
    expect(stderr).not.toContain('\u001b[');
  });
});

describe('colours', () => {
  test('are for terminals, and not for those who set NO_COLOR', async () => {
    expect((await cliWorld().run('status')).stdout).not.toContain('\u001b[');
    expect((await cliWorld({ isTTY: true, env: { NO_COLOR: '1' } }).run('tasks')).stdout).not.toContain('\u001b[');
    expect((await cliWorld({ isTTY: true }).run('tasks')).stdout).toContain('\u001b[');
  });
});

describe('--lab', () => {
  test.each([
    [
      ['--lab', 'status'],
      ['--lab=', 'status'],
    ],
    [
      ['status', '--lab'],
      ['status', '--lab='],
    ],
    [
      ['--lab', './here', 'status'],
      ['--lab=./here', 'status'],
    ],
    [
      ['verify', '--lab', 'cb-hms-daily-20261121t070000z'],
      ['verify', '--lab=', 'cb-hms-daily-20261121t070000z'],
    ],
    [
      ['--lab=/tmp/x', 'status'],
      ['--lab=/tmp/x', 'status'],
    ],
  ])('takes a directory and never a verb or a backup: %j', (argv, plain) => {
    expect(withPlainLabOption(argv)).toEqual(plain);
  });

  test('opens the newest lab, or the one named', async () => {
    const world = cliWorld();
    await world.run('--lab', 'tasks');
    await world.run('tasks', '--lab', './here');
    expect(world.opened).toMatchObject([{ lab: true }, { lab: './here' }]);
  });

  test('the verb lab gets its own words, whatever they are', async () => {
    expect(labArguments(['lab', '--json', '--keep'])).toEqual(['--json', '--keep']);
    expect(labArguments(['--json', 'lab', '--size', '1GB'])).toEqual(['--json', '--size', '1GB']);
    expect(labArguments(['status', 'lab'])).toBeUndefined();
    const given: (readonly string[])[] = [];
    const { run } = cliWorld({
      host: {
        runLab: async (argv) => {
          given.push(argv);
          return 1;
        },
      },
    });
    expect((await run('lab', '--dump', 'x.sql')).exitCode).toBe(1);
    expect(given).toEqual([['--dump', 'x.sql']]);
  });
});
