import type { api, GPUDeviceLostInfoImplementation } from '@vesper-gpu/protocol/guest';

/**
 * The promise of a device's loss. It stands apart from the device, so that a program which awaits the loss is told of
 * it although the device itself was collected. https://www.w3.org/TR/webgpu/#dom-gpudevice-lost
 */
export class DeviceLoss {
  readonly promise: Promise<GPUDeviceLostInfoImplementation>;
  #resolve!: (info: GPUDeviceLostInfoImplementation) => void;
  #isLost = false;
  /** Whether the program destroyed the device: whatever ends it then, that is the reason. */
  isDestroyed = false;

  constructor() {
    this.promise = new Promise((resolve) => (this.#resolve = resolve));
  }

  get isLost(): boolean {
    return this.#isLost;
  }

  /** The host says that the device is lost, or the connection ended. */
  lose(reason: api.GPUDeviceLostReason, message: string): void {
    if (this.#isLost) return;
    this.#isLost = true;
    this.#resolve({ reason: this.isDestroyed ? 'destroyed' : reason, message });
  }
}
