import { GPUQuerySetBase, type api, type GPUQuerySetDescriptorValue } from '@vesper-gpu/protocol/guest';
import type { RemoteObject } from '@vesper-gpu/wire';

export class QuerySet extends GPUQuerySetBase {
  readonly #descriptor: GPUQuerySetDescriptorValue;

  constructor(device: RemoteObject, id: number, descriptor: GPUQuerySetDescriptorValue) {
    super(device, id, descriptor.label);
    this.#descriptor = descriptor;
  }

  override get type(): api.GPUQueryType {
    return this.#descriptor.type;
  }

  override get count(): number {
    return this.#descriptor.count;
  }
}
