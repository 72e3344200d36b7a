#!/usr/bin/env node
/**
 * `npm run bench:failover`: Codeblue against Patroni, kill by kill (bench/failover/main.ts says what is measured and with which options).
 *
 * Installs what the rival needs below dist/bench-failover/, once: Patroni from PyPI (scripts/requirements-bench.txt) and etcd through the Go
 * module proxy. Then it starts the benchmark in namespaces of its own: a network and a process table that the kernel removes with
 * everything in them when this program ends, however it ends. Linux only; where something is missing it says so and ends with 1.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ETCD = '3.6.16';

const root = fileURLToPath(new URL('..', import.meta.url));
const tools = join(root, 'dist', 'bench-failover');

function giveUp(reason) {
  console.error(`bench:failover cannot run: ${reason}`);
  console.error('It needs Linux with unshare, nsenter, setpriv, mount and ip, Python 3.10 or newer, and Go; npm test needs none of it.');
  process.exit(1);
}

const works = (program, words) => spawnSync(program, words, { stdio: 'ignore' }).status === 0;

function must(what, program, words, options = {}) {
  const { status, error, stderr } = spawnSync(program, words, { encoding: 'utf8', stdio: ['ignore', 'ignore', 'pipe'], ...options });
  if (status !== 0) giveUp(`${what}: ${(error?.message ?? stderr ?? '').trim().split('\n').at(-1)}`);
}

/** A directory named by what goes into it; one without the stamp was left half made, and is made anew. */
function once(name, make) {
  const path = join(tools, name);
  if (existsSync(join(path, 'complete'))) return path;
  console.error(`Installing ${name} below dist/bench-failover/ ...`);
  rmSync(path, { recursive: true, force: true });
  mkdirSync(path, { recursive: true });
  make(path);
  writeFileSync(join(path, 'complete'), '');
  return path;
}

function installPatroni() {
  if (!works('python3', ['-c', 'import venv, ensurepip'])) giveUp('there is no python3 with venv.');
  const requirements = join(root, 'scripts', 'requirements-bench.txt');
  const version = createHash('sha256').update(readFileSync(requirements)).digest('hex').slice(0, 12);
  return once(`patroni-${version}`, (path) => {
    must('python3 cannot make a virtual environment', 'python3', ['-m', 'venv', path]);
    must('pip cannot install Patroni', join(path, 'bin', 'python'), ['-m', 'pip', 'install', '--quiet', '--requirement', requirements]);
  });
}

function installEtcd() {
  if (!works('go', ['version'])) giveUp('there is no Go to build etcd with.');
  const server = 'go.etcd.io/etcd/server/v3';
  return join(
    once(`etcd-${ETCD}`, (path) => {
      // Built as a dependency of an empty module: `go install` refuses modules with replacements.
      const env = { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-mod=mod' };
      must('Go cannot make a module', 'go', ['mod', 'init', 'bench'], { cwd: path, env });
      must('Go cannot fetch etcd', 'go', ['get', `${server}@v${ETCD}`], { cwd: path, env });
      must('Go cannot build etcd', 'go', ['build', '-o', join(path, 'etcd'), server], { cwd: path, env });
    }),
    'etcd',
  );
}

if (process.platform !== 'linux') giveUp(`this is ${process.platform}.`);
for (const program of ['unshare', 'nsenter', 'setpriv', 'mount', 'ip'])
  if (!works(program, ['--version']) && !works(program, ['-V'])) giveUp(`there is no ${program}.`);

// Neither PostgreSQL nor Patroni runs as root. In a user namespace root is "nobody" and still owns its files.
const user = process.getuid() === 0 ? ['--map-user=65534', '--map-group=65534'] : ['--map-current-user'];
const namespaces = ['--user', ...user, '--keep-caps', '--net', '--pid', '--mount', '--mount-proc', '--fork', '--kill-child'];
if (!works('unshare', [...namespaces, 'true'])) giveUp('this system does not let you make namespaces; root may.');

const rival = ['--venv', installPatroni(), '--etcd', installEtcd()];
const dir = mkdtempSync(join(tmpdir(), 'codeblue-bench-'));
const main = [process.execPath, join(root, 'bench', 'failover', 'main.ts'), ...rival, ...process.argv.slice(2)];
// A shell comes first in the process table: it collects the processes that lost their parent. Files are in memory, and go with the namespaces.
const shell = 'mount -t tmpfs -o mode=0700 codeblue "$TMPDIR" && "$@"; exit $?';
const words = ['--pdeathsig', 'KILL', 'unshare', ...namespaces, 'sh', '-c', shell, 'sh', ...main];
// A directory for temporary files of its own: from in there, labs of other process tables would look dead, and be swept away.
const bench = spawn('setpriv', words, { cwd: root, env: { ...process.env, TMPDIR: dir, NO_COLOR: '1' }, stdio: 'inherit' });
let ended = 1;
bench.on('error', (error) => giveUp(error.message));
for (const [signal, code] of Object.entries({ SIGINT: 130, SIGTERM: 143, SIGHUP: 129 })) {
  process.on(signal, () => {
    ended = code;
    bench.kill('SIGKILL');
  });
}
bench.on('exit', (code) => {
  rmSync(dir, { recursive: true, force: true });
  process.exit(code ?? ended);
});
