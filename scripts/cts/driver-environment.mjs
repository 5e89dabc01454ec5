import { existsSync } from 'node:fs';

import { chooseDriver } from '@vesper-gpu/dawn/driver';

/**
 * The variables that both kinds of run start their processes with, and the name of the driver that they lead to.
 *
 * @param {string | undefined} icd manifest of a Vulkan driver
 * @returns {Promise<{ environment: NodeJS.ProcessEnv, driver: string, choice: import('@vesper-gpu/dawn').DriverChoice }>}
 */
export async function driverEnvironment(icd) {
  if (icd !== undefined && !existsSync(icd)) throw new Error(`--icd: there is no file ${icd}.`);
  if (icd !== undefined && process.env['VESPER_DRIVER'] === 'swiftshader')
    throw new Error('--icd names one driver and VESPER_DRIVER=swiftshader another: leave one out.');
  // Who names a driver wants that one or none.
  const variables = { VK_DRIVER_FILES: icd, VK_ICD_FILENAMES: icd, VESPER_DRIVER: 'system' };
  const named = icd === undefined ? process.env : { ...process.env, ...variables };
  const choice = await chooseDriver(named);
  const { adapter } = choice;
  return { environment: { ...named, ...choice.environment }, driver: adapter.description || adapter.device, choice };
}
