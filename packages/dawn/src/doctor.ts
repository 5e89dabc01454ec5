import { verifiedDriver } from './driver.ts';
import type { ProbeReport } from './probe.ts';
import type { DriverChoice } from './select.ts';
import type { Environment } from './system.ts';

/** What a host on this machine would run on, and why. */
export interface DoctorReport extends ProbeReport {
  /** The choice, with its reasons. */
  readonly driver: DriverChoice;
  /** Version of node, such as `v20.19.0`. */
  readonly nodeVersion: string;
  /** Operating system and processor, such as `linux-x64`. */
  readonly platform: string;
}

/**
 * Chooses the driver as chooseDriver() does and reports on it, from a child process in the chosen environment.
 *
 * @throws DriverError when there is no driver; its message lists what was tried and what to do
 */
export async function inspect(environment: Environment = process.env): Promise<DoctorReport> {
  const { choice, report } = await verifiedDriver(environment);
  return {
    ...report,
    driver: choice,
    nodeVersion: process.version,
    platform: `${process.platform}-${process.arch}`,
  };
}
