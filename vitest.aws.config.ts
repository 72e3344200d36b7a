import { defineConfig } from 'vitest/config';

/** `npm run test:aws`: the contracts against the AWS adapters on a moto server, which scripts/test-aws.mjs starts. */
export default defineConfig({
  test: {
    include: ['test/aws/**/*.moto.ts'],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    // One server holds one state, and each case begins by resetting it.
    fileParallelism: false,
  },
});
