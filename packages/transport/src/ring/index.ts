export { DEFAULT_CAPACITY_BYTES, MAX_CAPACITY_BYTES, MIN_CAPACITY_BYTES } from './layout.ts';
export * from './ring-channel.ts';
export * from './ring-error.ts';
export * from './sync-ring.ts';
