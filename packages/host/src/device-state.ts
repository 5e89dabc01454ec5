import { InterfaceNumber, type api } from '@vesper-gpu/protocol/host';
import { ErrorScopes } from './error-scopes.ts';
import { InvalidObjects } from './invalid-objects.ts';

/** What the host keeps beside a device of the backend. */
export class DeviceState {
  readonly id: number;
  readonly scopes = new ErrorScopes();
  /** Held so that it is not collected: Dawn for Node crashes when an adapter is, while its device lives. */
  adapter: api.GPUAdapter | undefined;
  isLost = false;
  /** How many ids stand for the device, its queue and its objects: at 0 the guest cannot reach it any more. */
  objectCount = 0;
  /** How many ids ever did. */
  totalObjectCount = 0;
  #device: api.GPUDevice;
  #invalid: InvalidObjects;
  readonly #substitutes = new Map<number, object>();
  #standIn: DeviceState | undefined;

  constructor(id: number, device: api.GPUDevice, adapter: api.GPUAdapter) {
    this.id = id;
    this.#device = device;
    this.adapter = adapter;
    this.#invalid = new InvalidObjects(device);
  }

  get device(): api.GPUDevice {
    return this.#device;
  }

  /** The lost device that took this one's place, if one did. */
  get standIn(): DeviceState | undefined {
    return this.#standIn;
  }

  /** Makes objects that are invalid, of this device. */
  get invalid(): InvalidObjects {
    return this.#invalid;
  }

  /**
   * An object of a device that is no more, for the ids of all such objects of others: they cannot be told apart.
   * @param type its interface number.
   */
  substitute(type: number): object {
    let found = this.#substitutes.get(type);
    if (found === undefined) this.#substitutes.set(type, (found = this.#makeSubstitute(type)));
    return found;
  }

  #makeSubstitute(type: number): object {
    if (type === InterfaceNumber.GPUDevice) return this.#device;
    if (type === InterfaceNumber.GPUQueue) return this.#device.queue;
    const isPass = type === InterfaceNumber.GPURenderPassEncoder || type === InterfaceNumber.GPUComputePassEncoder;
    const parent = isPass ? this.substitute(InterfaceNumber.GPUCommandEncoder) : this.#device;
    return this.#invalid.make(type, parent);
  }

  /** Lets the backend's device go, so that it can be collected; what is done to it goes to `other`, which is lost too. */
  replaceWith(other: DeviceState): void {
    this.#standIn = other;
    this.#device = other.#device;
    this.#invalid = other.#invalid;
    this.adapter = undefined;
  }
}
