import { chooseDriver } from '@vesper-gpu/dawn/driver';

/**
 * The variables that both kinds of run start their processes with, and the name of the driver that they lead to.
 *
 * @param {string | undefined} icd manifest of a Vulkan driver
 * @returns {Promise<{ environment: NodeJS.ProcessEnv, driver: string, choice: import('@vesper-gpu/dawn').DriverChoice }>}
 */
export async function driverEnvironment(icd) {
  const named = icd === undefined ? process.env : { ...process.env, VK_DRIVER_FILES: icd, VK_ICD_FILENAMES: icd };
  const choice = await chooseDriver(named);
  const { adapter } = choice;
  return { environment: { ...named, ...choice.environment }, driver: adapter.description || adapter.device, choice };
}
