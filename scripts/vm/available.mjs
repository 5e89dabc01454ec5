import { guestSystem } from './packages.mjs';
import { VmProblem } from './problem.mjs';
import { checkMemory, findQemu } from './requirements.mjs';

/**
 * Why no guest can boot on this machine, for want of something that has to be installed; undefined where one can.
 * @param {number} memoryMiB of all guests at a time
 */
export function whyNoGuest(memoryMiB) {
  try {
    findQemu();
    checkMemory(memoryMiB);
    guestSystem(undefined);
    return undefined;
  } catch (error) {
    if (!(error instanceof VmProblem)) throw error;
    return error.message;
  }
}
