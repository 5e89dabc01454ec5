/// <reference types="@webgpu/types" />

export { connect, globals, type ConnectionStatistics, type ConnectOptions, type GuestConnection } from './connect.ts';
export type { Transport, TransportHandlers } from '@vesper-gpu/wire';
export { ConnectionError, ProtocolError } from '@vesper-gpu/wire';
