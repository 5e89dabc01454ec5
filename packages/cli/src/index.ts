/** The `vesper` command's parts for programs: a broker that lets guests in and gives each a process of its own. */
export { startBroker, type Broker, type BrokerOptions, type ListenAddress } from './broker/broker.ts';
export type { DriverSetting } from './broker/environment.ts';
export type { Learned } from '@vesper-gpu/host';
export type { SessionStatistics } from './broker/messages.ts';
export { startPrivateBroker, type PrivateBroker } from './broker/private-broker.ts';
export type { SessionReport } from './broker/session.ts';
export { createLogger, LOG_LEVELS, type LogLevel } from './log/logger.ts';
export { DEFAULT_WATCH, type WatchLimits } from './broker/watch.ts';
export { FIRST_ANSWERS, PROGRAM_REQUESTS, runGuestProgram, type ProgramEnd } from './replay/guest-program.ts';
export { replayGuest, type Replayed, type ReplayOptions } from './replay/replay-guest.ts';
export { replayHost } from './replay/replay-host.ts';
export { decodeReproducer, encodeReproducer, type Reproducer } from './replay/reproducer.ts';
