export function printIncidentCost(): void {}
