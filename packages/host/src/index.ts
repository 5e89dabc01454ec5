export type { HostMemory } from './garbage.ts';
export type { SessionStatistics } from './host-connection.ts';
export {
  hostHello,
  serveGuest,
  type ReceivedHello,
  type ServeOptions,
  type Session,
  type SessionEnd,
} from './serve.ts';
