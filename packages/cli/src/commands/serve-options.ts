import { InvalidArgumentError, Option, type Command } from 'commander';
import type { Logger } from 'pino';
import type { BrokerOptions } from '../broker/broker.ts';
import type { DriverSetting } from '../broker/environment.ts';
import { createLogger, LOG_LEVELS, type LogLevel } from '../log/logger.ts';

/** Options that `serve` and `run` share, as the command line gives them. */
export interface ServeFlags {
  driver?: DriverSetting;
  maxGuests: number;
  logLevel: LogLevel;
  /** A policy file. */
  policy?: string;
  /** The role of guests whose address names none. */
  role?: string;
  /** File of the audit log. */
  audit?: string;
  /** Where metrics can be fetched. */
  metrics?: string;
}

export const DRIVERS = ['auto', 'system', 'swiftshader'] as const;

/** The choice of the driver, for every command that needs one. */
export function driverOption(): Option {
  return new Option('--driver <driver>', 'the GPU driver to use (default: VESPER_DRIVER, or auto)').choices(DRIVERS);
}

/** How much is logged. @param level unless it is given */
export function logLevelOption(level: LogLevel): Option {
  return new Option('--log-level <level>', 'how much to log on stderr').choices(LOG_LEVELS).default(level);
}

/** Adds the options to a command. */
export function addServeOptions(command: Command, logLevel: LogLevel): Command {
  return command
    .addOption(driverOption())
    .option('--policy <file>', 'what guests may do and spend: a policy file (default: all that WebGPU can)')
    .option('--role <name>', 'the role in the policy file (default: the only one)')
    .option('--audit <file>', 'append what policies refuse to a file, one JSON object a line')
    .option('--metrics <address>', 'serve metrics in the format of Prometheus: unix:PATH or tcp:HOST:PORT')
    .option('--max-guests <n>', 'how many guests may be there at a time', parseCount, 64)
    .addOption(logLevelOption(logLevel));
}

/** The broker's options. */
export function brokerOptions(flags: ServeFlags): Omit<BrokerOptions, 'listen'> & { logger: Logger } {
  return {
    logger: createLogger(flags.logLevel),
    maxGuests: flags.maxGuests,
    ...(flags.audit === undefined ? {} : { audit: flags.audit }),
    ...(flags.metrics === undefined ? {} : { metrics: flags.metrics }),
    ...(flags.driver === undefined ? {} : { driver: flags.driver }),
  };
}

/** @throws InvalidArgumentError for what is no number of guests */
export function parseCount(text: string): number {
  const count = Number(text);
  if (!/^\d+$/.test(text) || count < 1 || count > 10_000) {
    throw new InvalidArgumentError('Give a whole number from 1 to 10000.');
  }
  return count;
}
