import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

// The CDK app, run by the CDK command line or alone (`npm run synth`: writes to cdk.out, needs no credentials). Everything
// is imported below this line: compiled once and kept, the CDK starts half a second sooner.
enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/codeblue', import.meta.url)));

try {
  const { default: operations } = await import('../codeblue.config.ts');
  const { synthesize } = await import('../lib/synthesize.ts');
  const outdir = process.env.CDK_OUTDIR ? undefined : fileURLToPath(new URL('../cdk.out', import.meta.url));
  process.stderr.write(`${(await synthesize(operations, outdir)).join('\n')}\n`);
} catch (error) {
  const { CodeblueError } = await import('../functions/common/errors.ts');
  if (!(error instanceof CodeblueError)) throw error;
  process.stderr.write(`error: ${error.message}\n${error.hint ? `${error.hint}\n` : ''}`);
  process.exitCode = 1;
}
