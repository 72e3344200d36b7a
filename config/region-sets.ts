/**
 * Region sets of DynamoDB's multi-Region strong consistency: two replicas and a witness come from one of them (DynamoDB Developer Guide,
 * "Multi-Region strong consistency", 2026-11).
 */
export const regionSets: readonly (readonly string[])[] = [
  ['us-east-1', 'us-east-2', 'us-west-2'],
  ['eu-west-1', 'eu-west-2', 'eu-west-3', 'eu-central-1'],
  ['ap-northeast-1', 'ap-northeast-2', 'ap-northeast-3'],
];

/** The first Region that can be witness of the two; undefined when no set has both. */
export const witnessFor = (primary: unknown, standby: unknown): string | undefined =>
  regionSets
    .find((set) => set.some((region) => region === primary) && set.some((region) => region === standby))
    ?.find((region) => region !== primary && region !== standby);
