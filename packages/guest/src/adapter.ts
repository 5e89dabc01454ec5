import {
  decodeVesperCapabilities,
  encodeAdapterRequestDevice,
  GPUAdapterBase,
  type GPUAdapterInfoImplementation,
  type GPUDeviceDescriptorValue,
  type GPUSupportedFeaturesImplementation,
  type GPUSupportedLimitsImplementation,
} from '@vesper-gpu/protocol/guest';
import type { RemoteObject } from '@vesper-gpu/wire';
import { capabilities, limitValue, type Capabilities } from './capabilities.ts';
import type { Connection } from './connection.ts';
import { Device } from './device.ts';
import { operationError, RequestFailure } from './errors.ts';

const MAX_ALIGNMENT = 2 ** 31;

export class Adapter extends GPUAdapterBase {
  readonly #connection: Connection;
  readonly #capabilities: Capabilities;
  /** An adapter gives one device. https://www.w3.org/TR/webgpu/#dom-adapter-state-slot */
  #isConsumed = false;

  constructor(gpu: RemoteObject, id: number, given: Capabilities, connection: Connection) {
    super(gpu, id);
    this.#capabilities = given;
    this.#connection = connection;
  }

  override get features(): GPUSupportedFeaturesImplementation {
    return this.#capabilities.features;
  }

  override get limits(): GPUSupportedLimitsImplementation {
    return this.#capabilities.limits;
  }

  override get info(): GPUAdapterInfoImplementation {
    return this.#capabilities.info;
  }

  /** A request that cannot succeed leaves the adapter as it was, so it is refused here, in the order of the calls. */
  override async requestDevice(descriptor: GPUDeviceDescriptorValue): Promise<Device> {
    for (const feature of descriptor.requiredFeatures) {
      if (!this.features.values.has(feature))
        throw new TypeError(`GPUAdapter.requestDevice: the adapter does not have the feature "${feature}"`);
    }
    if (this.#isConsumed)
      throw operationError(
        'GPUAdapter.requestDevice: the adapter has given its device already; request another adapter',
      );
    for (const [name, value] of descriptor.requiredLimits ?? []) this.#requireLimit(name, value);
    this.#isConsumed = true;
    const { stream } = this;
    const id = stream.ids.allocate();
    const queueId = stream.ids.allocate();
    const make = (given: Capabilities): Device => {
      const queueLabel = descriptor.defaultQueue?.label ?? '';
      const device = new Device(this, id, queueId, descriptor.label, queueLabel, given, this.#connection);
      this.#connection.addDevice(device);
      return device;
    };
    try {
      const reply = await stream.request(decodeVesperCapabilities, (request) =>
        encodeAdapterRequestDevice(stream.writer, this.id, request, id, queueId, {
          ...descriptor,
          // A feature that is listed twice says nothing new, and a million of them take more than a frame.
          requiredFeatures: [...new Set(descriptor.requiredFeatures)],
        }),
      );
      return make(capabilities(reply));
    } catch (error) {
      if (error instanceof RequestFailure) {
        this.#isConsumed = false;
        stream.release(id);
        stream.release(queueId);
        throw error.toException('GPUAdapter.requestDevice: the host refused');
      }
      // The host is gone: the device is lost from the start.
      return make({ ...this.#capabilities, features: { values: new Set(descriptor.requiredFeatures) } });
    }
  }

  #requireLimit(name: string, value: number): void {
    const fail = (what: string): never => {
      throw operationError(`GPUAdapter.requestDevice: requiredLimits.${name}: ${what}`);
    };
    const supported = limitValue(this.limits, name);
    if (supported === undefined) return fail('there is no such limit');
    if (!name.startsWith('min')) {
      if (value > supported) fail(`${value} is more than the ${supported} that the adapter supports`);
      return;
    }
    if (value < supported) fail(`${value} is less than the ${supported} that the adapter supports`);
    if (value > MAX_ALIGNMENT || !Number.isInteger(Math.log2(value)))
      fail(`${value} is not a power of two of at most 2^31`);
  }
}
