import { config } from 'zod';

// Zod compiles a parser for each object schema at its first use. A function parses a handful of objects in its life: interpreting them costs
// less than compiling. Imported first, because schemas are used while other modules load.
config({ jitless: true });
