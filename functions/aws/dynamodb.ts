import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { clientOptions, perRegion } from './client-options.ts';

/** For tables as such: backups, restores, descriptions. */
export const dynamoIn = perRegion((region) => new DynamoDBClient(clientOptions(region)));

/** For items as plain objects. */
export const documentsIn = perRegion((region) =>
  DynamoDBDocumentClient.from(dynamoIn(region), { marshallOptions: { removeUndefinedValues: true } }),
);
