import { guestImage } from './image.mjs';
import { guestSystem } from './packages.mjs';
import { checkMemory, findQemu } from './requirements.mjs';

/**
 * All that a machine is made of but the host's socket.
 * @param {{ memoryMiB: number, packages?: string | undefined }} options
 * @returns {Promise<Pick<import('./machine.mjs').MachineOptions, 'qemu' | 'kernel' | 'image' | 'memoryMiB'> & { release: string, isNew: boolean }>}
 * @throws {import('./problem.mjs').VmProblem} that says what is missing
 */
export async function prepare({ memoryMiB, packages }) {
  const qemu = findQemu();
  checkMemory(memoryMiB);
  const system = guestSystem(packages);
  const { path: image, isNew } = await guestImage(system);
  return { qemu, kernel: system.kernel, release: system.release, image, isNew, memoryMiB };
}
