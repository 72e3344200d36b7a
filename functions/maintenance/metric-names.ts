/**
 * Every metric that Codeblue writes, in namespace `Codeblue/<capability>`. Alarms and dashboards take the names from here,
 * so an alarm on a metric that nobody writes does not compile.
 */
export const metricNames = {
  maintenance: {
    /** 1 per run that ended well or had nothing to do because another Region leads, 0 per run that failed; dimension Task. Missing data means that it did not run. */
    taskSucceeded: 'TaskSucceeded',
    /** Schedules whose last occurrence is hours past and did not succeed, one count over all tasks; dimension Region. */
    runsOverdue: 'RunsOverdue',
  },
  backup: {
    /** Seconds between now and the latest restorable second of the transaction log; dimension Database. */
    logAge: 'LogAgeSeconds',
    /** 1 for a primary of RDS that nothing replicates although the config wants a replica, 0 for one with a replica; dimension Database. */
    replicaMissing: 'ReplicaMissing',
    /** Copies that failed in this pass; dimension Database. */
    copiesFailed: 'CopiesFailed',
    /** Things found that no inventory line or running verification owns; dimension Region. */
    orphansFound: 'OrphansFound',
    /** Mean over the canaries of one run: from the application's network to the database and back, write and commit; dimension Database. */
    canaryCommitSeconds: 'CanaryCommitSeconds',
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
    /** Rows that only the old primary had when it came back, over all tables; dimension Database. */
    lostRows: 'LostRows',
    /** 1 for each failback that ended without what it was asked for, 0 for one that did it; dimension Region, the one that leads. */
    failbackStopped: 'FailbacksStopped',
    /** 1 for each breach that is declared; dimension Region, the one that leads. */
    breaches: 'BreachesDeclared',
    /** From promoting a rehearsal replica to its first committed write; dimension Database. */
    rehearsedSeconds: 'RehearsedPromotionSeconds',
    /** 1 for each vote that an observer cast; dimension Region, the observer's. Missing data means that it sees nothing for anybody. */
    votes: 'Votes',
    /** Subjects that this observer finds unhealthy; dimension Region, the observer's. */
    unhealthy: 'UnhealthySubjects',
    /** 1 while the leading Region's own observer finds a service unhealthy, 0 while it finds it healthy; dimensions Region, the leading one, and Service. */
    serviceDown: 'ServiceDown',
    /** The same of a database; dimensions Region and Database. */
    databaseDown: 'DatabaseDown',
    /** 1 while an observer of another Region finds the leading one unreachable, 0 while it reaches it; dimension Region, the leading one. */
    regionDown: 'RegionDown',
    /** Subjects that this observer should see and has never seen healthy, so that its word on them counts for nothing; dimension Region, the observer's. */
    blind: 'BlindSubjects',
    /** 1 where the coordination record could not be read, 0 where it could; dimension Region, the reader's. */
    coordinationUnreadable: 'CoordinationUnreadable',
    /** What is left of the lease by the record, negative once it has run out; dimension Region, the observer's. Told by every observer, since the dead tell nothing. */
    leaseRemaining: 'LeaseRemainingSeconds',
    /** For how long an observer has seen a change of leadership unfinished, 0 when there is none; dimension Region, the observer's. */
    unfinishedSeconds: 'UnfinishedSeconds',
    /** 1 for each tick in which this Region's guardian renewed the lease or found it renewed, 0 for one in which it could not; dimension Region. Missing data means that there is no guardian. */
    guarded: 'Guarded',
    /** Application tables without a fence, over the databases that this guardian renews; dimension Region. */
    unfencedTables: 'UnfencedTables',
  },
  audit: {
    /** Events that came into the published log, one count for each batch; dimension Region. */
    eventsIntegrated: 'EventsIntegrated',
    /** From recording to integration, the longest of a batch; dimension Region. */
    integrationSeconds: 'IntegrationSeconds',
    /** Events that were seen to wait when a batch was chosen, at most those of a batch; dimension Region. */
    eventsWaiting: 'EventsWaiting',
    /** Writes of the head that another sequencer's came before; dimension Region. A few each minute are usual: runs relieve each other. */
    sequencerRacesLost: 'SequencerRacesLost',
    /** Witnesses that did not cosign a checkpoint; dimension Region. */
    cosignaturesLate: 'CosignaturesLate',
    /** 1 for each pass of the sequencer that failed, 0 once for each run without one; dimension Region. */
    sequencingFailed: 'SequencingFailed',
    /** Events that came over the bus, where nobody can be answered, and were refused; dimension Region. */
    eventsRejected: 'AuditEventsRejected',
    /**
     * What the watch, the daily verification and the restore test found, one metric for each of `findingCodes` (functions/audit/watch/finding.ts): how many, and 0 where a look
     * found none; dimension Region, the log's, which need not be the one that looks.
     */
    logTruncated: 'AuditLogTruncated',
    logForked: 'AuditLogForked',
    logRewritten: 'AuditLogRewritten',
    logGap: 'AuditLogGap',
    logStale: 'AuditLogStale',
    eventNotIntegrated: 'AuditEventNotIntegrated',
    bodyAltered: 'AuditBodyAltered',
    restoreFailed: 'AuditRestoreFailed',
    /** 1 for each look at the logs of a Region that came to its end, whatever it found; dimension Region, the log's. Missing data means that nobody looks. */
    logWatched: 'AuditLogWatched',
    /** From the beginning of a full verification to its end, over as many runs as it took; dimension Region. */
    verificationSeconds: 'AuditLogVerificationSeconds',
  },
  incidents: {
    /** 1 for each look at an incident that nobody answered although every step of its policy is over; dimension Region, its home. */
    unanswered: 'IncidentsUnanswered',
    /** Steps under way that told nobody, because nobody was on duty; dimension Region. */
    nobodyOnDuty: 'StepsWithNobodyOnDuty',
    /** 1 for each run of an automated runbook that began and did not help, 0 for one that did; dimension Region. */
    runbooksFailed: 'RunbooksFailed',
    /** From the time that a page was due to the channel's receipt; dimension Method. */
    pageSeconds: 'PageSeconds',
    /** Pages that a channel did not take; dimension Method. */
    pagesFailed: 'PagesFailed',
    /** Pages that were due and that this Region's auditor found unsent, each counted once in the deployment; dimension Region, the auditor's. */
    pagesMissed: 'PagesMissed',
    /** Ways to reach somebody that the daily test found broken; dimension Region. */
    pagingUntested: 'PagingFindings',
  },
} as const;
