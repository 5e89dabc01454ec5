export * from './address.ts';
export * from './device.ts';
export * from './in-process.ts';
export * from './listen.ts';
export * from './open.ts';
export * from './relay.ts';
export * from './socket.ts';
export * from './websocket.ts';
export { HIGH_WATER_BYTES, LOW_WATER_BYTES } from './water-marks.ts';
