import { defineConfig } from 'vitest/config';

/** `npm test`: needs Node and the npm registry only. What outside judges decide runs from vitest.aws.config.ts and scripts/. */
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // Real PostgreSQL servers share the machine's processors: more workers than these only slow each other down.
    maxWorkers: 2,
  },
});
