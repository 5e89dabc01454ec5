import {
  encodeDeviceLost,
  GPUAdapterHandlers,
  InterfaceNumber,
  type api,
  type VesperCapabilitiesValue,
} from '@vesper-gpu/protocol/host';
import { capabilitiesOf } from '../capabilities.ts';
import { DeviceState } from '../device-state.ts';
import { errorType } from '../error-scopes.ts';
import { cutMessage } from '../failure.ts';
import type { HostConnection } from '../host-connection.ts';

export class AdapterHandlers extends GPUAdapterHandlers {
  readonly #connection: HostConnection;

  constructor(connection: HostConnection) {
    super();
    this.#connection = connection;
  }

  override async requestDevice(
    target: api.GPUAdapter,
    newDevice: number,
    newQueue: number,
    descriptor: api.GPUDeviceDescriptor,
  ): Promise<VesperCapabilitiesValue> {
    const connection = this.#connection;
    const refusal = connection.view.refusal(descriptor, capabilitiesOf(target.features, target.limits, target.info));
    if (refusal !== undefined) throw refusal;
    const device = await target.requestDevice(descriptor);
    const state = new DeviceState(newDevice, device, target);
    connection.fulfil(newDevice, InterfaceNumber.GPUDevice, device, state);
    connection.fulfil(newQueue, InterfaceNumber.GPUQueue, device.queue, state);
    connection.adopt(state);
    device.addEventListener('uncapturederror', (event) => {
      // Dawn for Node prints uncaptured errors, which hold the guest's text, unless this is called.
      event.preventDefault();
      const { error } = event as api.GPUUncapturedErrorEvent;
      connection.sendUncaptured(state, { type: errorType(error), message: connection.view.ofMessage(error.message) });
    });
    device.lost
      .then(({ reason, message }) => {
        connection.retire(state);
        // A loss that comes of nobody holding the device is nobody's to hear of.
        if (state.objectCount === 0) return;
        const told = cutMessage(connection.view.ofMessage(message));
        connection.send((writer) => encodeDeviceLost(writer, newDevice, reason, told));
      })
      .catch((error: unknown) => connection.fault(error as Error));
    return connection.view.ofDevice(capabilitiesOf(device.features, device.limits, device.adapterInfo ?? target.info));
  }
}
