import { GPUHandlers, InterfaceNumber, type api, type VesperAdapterReplyValue } from '@vesper-gpu/protocol/host';
import { capabilitiesOf } from '../capabilities.ts';
import type { HostConnection } from '../host-connection.ts';

export class RootHandlers extends GPUHandlers {
  readonly #connection: HostConnection;
  readonly #gpu: api.GPU;

  constructor(connection: HostConnection, gpu: api.GPU) {
    super();
    this.#connection = connection;
    this.#gpu = gpu;
  }

  override async requestAdapter(
    newAdapter: number,
    options: api.GPURequestAdapterOptions,
  ): Promise<VesperAdapterReplyValue> {
    const { view } = this.#connection;
    const adapter = await this.#gpu.requestAdapter(view.options(options));
    if (adapter === null) return {};
    this.#connection.fulfil(newAdapter, InterfaceNumber.GPUAdapter, adapter);
    return { adapter: view.ofAdapter(capabilitiesOf(adapter.features, adapter.limits, adapter.info)) };
  }
}
