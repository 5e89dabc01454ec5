import { VesperStreamHandlers, type api, type VesperCapabilityValue } from '@vesper-gpu/protocol/host';
import { cutMessage } from '../failure.ts';
import type { HostConnection } from '../host-connection.ts';

export class StreamHandlers extends VesperStreamHandlers {
  readonly #connection: HostConnection;

  constructor(connection: HostConnection) {
    super();
    this.#connection = connection;
  }

  override selectEncoder(encoder: number): void {
    this.#connection.selectEncoder(encoder);
  }

  override release(ids: number[]): void {
    this.#connection.release(ids);
  }

  override async attenuate(policy: string): Promise<VesperCapabilityValue> {
    return { token: await this.#connection.enforcement.attenuate(policy) };
  }

  override injectError(device: api.GPUDevice, type: api.GPUErrorFilter, message: string): void {
    const state = this.#connection.devices.get(device);
    if (state !== undefined) this.#connection.report(state, { type, message: cutMessage(message) });
  }
}
