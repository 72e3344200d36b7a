/**
 * This deployment's one file. It starts as the complete HMS example (config/examples/hms.ts); copy that file's content
 * here, or config/examples/arocord.ts's, and write your own account, databases and contacts into it.
 */
export { default } from './config/examples/hms.ts';
