import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, build, type OutputFile, type Plugin } from 'esbuild';
import type { Operations } from '../functions/common/operations.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

export interface Bundle {
  /** Becomes the code of every function as it is: entries, chunks, `operations.json`, `package.json`. */
  readonly directory: string;
  /** SHA-256 (hex) over names and contents of the JavaScript alone, so that a change of config does not look like other code. */
  readonly codeSha256: string;
  /** Bytes of JavaScript. */
  readonly bytes: number;
}

export interface BundleOptions {
  readonly operations: Operations;
  /** Made anew each time. */
  readonly directory?: string;
  /** What the benchmark of the start-up time tries instead (bench/lambda-init.ts). */
  readonly instead?: Pick<BuildOptions, 'splitting' | 'minify' | 'sourcemap' | 'external' | 'plugins'>;
}

/**
 * Bundles the Lambda entries with everything they need, in one esbuild call. Splitting keeps adapters in chunks of their
 * own, so that a function loads only those that its operation needs. The same input gives the same bytes.
 */
export async function bundleFunctions({ operations, directory = join(root, 'dist/lambda'), instead = {} }: BundleOptions): Promise<Bundle> {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: { lambda: 'functions/handlers/lambda.ts', 'lease-endpoint': 'functions/handlers/lease-endpoint.ts' },
    outdir: directory,
    bundle: true,
    format: 'esm',
    splitting: true,
    chunkNames: '[name]-[hash]', // beside the entry: settings.ts looks for operations.json next to its own chunk
    platform: 'node',
    target: 'node24',
    mainFields: ['module', 'main'], // without it the SDK's CommonJS comes along and dies on load in an ES module
    external: ['pg-native'],
    // A tenth of the start-up time. Classes lose their names, which is why every error's name is a literal. Source maps would
    // give stack traces their lines back for a fifth of it (bench/lambda-init.ts); errors say what happened without them.
    minify: true,
    plugins: [zodByName],
    legalComments: 'external',
    // `pg` is CommonJS and requires Node's own modules; an ES module has no `require` unless it makes one.
    banner: { js: "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);" },
    logLevel: 'warning',
    ...instead,
    write: false, // written below, together with what belongs to it
  });
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true });
  await Promise.all([
    ...outputFiles.map((file) => writeFile(file.path, file.contents)),
    writeFile(join(directory, 'package.json'), '{"type":"module"}\n'),
    writeFile(join(directory, 'operations.json'), `${JSON.stringify(operations)}\n`),
  ]);
  const code = outputFiles.filter((file) => file.path.endsWith('.js'));
  return { directory, codeSha256: digestOf(code), bytes: code.reduce((sum, file) => sum + file.contents.length, 0) };
}

/**
 * `import { z }` takes a namespace object that esbuild keeps whole: every locale and every format of zod, 340 KB. As
 * `import * as z` the same names are dropped when unused. The sources keep the form that zod's documentation uses.
 */
const zodByName: Plugin = {
  name: 'zod-by-name',
  setup({ onLoad }) {
    onLoad({ filter: /[/\\](functions|config)[/\\].*\.ts$/ }, async ({ path }) => ({
      contents: (await readFile(path, 'utf8')).replace("import { z } from 'zod';", "import * as z from 'zod';"),
      loader: 'ts',
    }));
  },
};

/** Names and contents, each with its length in front, in the order of names: two sets of files never give one digest by concatenation. */
function digestOf(files: readonly OutputFile[]): string {
  const hash = createHash('sha256');
  for (const file of [...files].sort((a, b) => (a.path < b.path ? -1 : 1))) {
    const name = basename(file.path);
    hash.update(`${name.length}:${name}${file.contents.length}:`).update(file.contents);
  }
  return hash.digest('hex');
}
