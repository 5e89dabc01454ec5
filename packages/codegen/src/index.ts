export * from './errors.ts';
export { compare, generate, write, type Difference, type Generated, type GenerateOptions } from './generate.ts';
export { main } from './cli.ts';
export type * from './schema/schema.ts';
