// Turns what WebGPU reports beside the calls, errors that no scope caught and the loss of the device, into a failure
// of the program.

/**
 * @param {GPUDevice} device
 * @returns {{ guard: <T>(work: Promise<T>) => Promise<T>, close: () => void }} guard settles as the work does, or
 *   rejects as soon as the device has reported a failure; close ends the watch before the device is destroyed
 */
export function watchFailures(device) {
  let closed = false;
  /** @type {Promise<never>} */
  const failure = new Promise((_, reject) => {
    device.addEventListener('uncapturederror', (event) => {
      reject(new Error(`WebGPU: ${event.error.constructor.name}: ${event.error.message}`));
    });
    void device.lost.then(({ reason, message }) => {
      if (!closed) reject(new Error(`the device was lost (${reason}): ${message}`));
    });
  });
  // A failure between two guarded steps is reported by the next one.
  failure.catch(() => {});
  return {
    guard: (work) => Promise.race([failure, work]),
    close: () => {
      closed = true;
    },
  };
}
