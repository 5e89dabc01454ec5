export * from './interfaces.ts';
export * from './numbers.ts';
export * from './objects.ts';
export * from './strings.ts';
