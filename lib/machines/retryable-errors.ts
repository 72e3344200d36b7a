import * as auditErrors from '../../functions/audit/errors.ts';
import * as commonErrors from '../../functions/common/errors.ts';
import * as failoverErrors from '../../functions/failover/errors.ts';
import * as verifyErrors from '../../functions/verify/errors.ts';
import * as scanErrors from '../../functions/verify/scan.ts';

/** Every error class that a step can throw on purpose, found in the modules that declare them. */
const declared = Object.values({ ...commonErrors, ...auditErrors, ...failoverErrors, ...verifyErrors, ...scanErrors }).flatMap(
  (exported) => {
    if (typeof exported !== 'function' || !(exported.prototype instanceof commonErrors.CodeblueError)) return [];
    const error: unknown = Reflect.construct(exported, ['']);
    return error instanceof commonErrors.CodeblueError ? [error] : [];
  },
);

/**
 * Names that a machine's retry list matches on. They come from the classes, so a class that is renamed or changes its
 * mind about `retryable` changes the machines with it.
 */
export const retryableErrorNames: readonly string[] = declared.filter((error) => error.retryable).map((error) => error.name);
