/**
 * Every metric that Codeblue writes, in namespace `Codeblue/<capability>`. Alarms and dashboards take the names from here,
 * so an alarm on a metric that nobody writes does not compile.
 */
export const metricNames = {
  maintenance: {
    /** 1 per run that ended well, 0 per run that failed; dimension Task. Missing data means that it did not run. */
    taskSucceeded: 'TaskSucceeded',
    /** Schedules whose last occurrence is hours past and did not succeed, one count over all tasks; dimension Region. */
    runsOverdue: 'RunsOverdue',
  },
  backup: {
    /** Seconds between now and the latest restorable second of the transaction log; dimension Database. */
    logAge: 'LogAgeSeconds',
    /** Copies that failed in this pass; dimension Database. */
    copiesFailed: 'CopiesFailed',
    /** Things found that no inventory line or running verification owns; dimension Region. */
    orphansFound: 'OrphansFound',
    /** Items of Codeblue's own tables that were missing or different in a restored backup; dimension Table. */
    stateItemsLost: 'StateItemsLost',
  },
  verify: {
    /** 1 for a refused backup, 0 for a verified one; dimension Database. */
    refused: 'Refused',
    /** Seconds since the newest verified restore; dimension Database. */
    newestVerifiedAge: 'NewestVerifiedAgeSeconds',
    /** Measured, per verification; dimension Database. */
    restoreSeconds: 'RestoreSeconds',
    lossSeconds: 'DataLossSeconds',
  },
  failover: {
    /** 1 for each claim of a new epoch; dimension Region, the one that claims. */
    started: 'FailoversStarted',
    /** How long one phase of a change of leadership took; dimension Phase. */
    phaseSeconds: 'PhaseSeconds',
    /** Recovery time against an objective; dimension Objective: `database`, `critical-services` or `full`. */
    rtoSeconds: 'RtoSeconds',
    /** At most so much is lost by promoting; dimension Database. */
    lossSeconds: 'DataLossSeconds',
  },
} as const;
