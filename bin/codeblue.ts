import { runCli } from '../cli/run.ts';
import { systemHost } from '../cli/system-host.ts';

process.exitCode = await runCli(process.argv.slice(2), systemHost(), process);
