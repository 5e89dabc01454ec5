import type { api } from '@vesper-gpu/protocol/host';
import type { Guard } from './guard.ts';
import { MemoryLedger } from './memory-ledger.ts';
import { Recordings } from './recordings.ts';
import { Refusal } from './refusal.ts';
import { bufferBytes, querySetBytes, textureBytes } from './texture-size.ts';

/** What a device is charged with before anything is made of it: about what a driver sets aside. */
const DEVICE_BYTES = 4 << 20;

/** What a device's guest has of it that counts. */
class DeviceObjects {
  readonly charged = new Set<object>();
  readonly recordings = new Set<object>();
}

/** Keeps the account of a session's GPU memory, and refuses what does not fit. */
export class GPUMemory {
  readonly ledger: MemoryLedger;
  readonly #recordings = new Recordings();
  /** What an object keeps alive: a view its texture, a bind group its buffers and textures. */
  readonly #references = new WeakMap<object, object[]>();
  readonly #objectsOf = new Map<object, DeviceObjects>();
  readonly #deviceOf = new WeakMap<object, DeviceObjects>();
  /** Charges of devices that were asked for and are not there yet. */
  readonly #promised: object[] = [];

  /** @param limitBytes Infinity where the memory is only to be counted. */
  constructor(guard: Guard, limitBytes: number) {
    this.ledger = new MemoryLedger(limitBytes, (object) => this.#deviceOf.get(object)?.charged.delete(object));
    this.#charge<api.GPUBufferDescriptor>(guard, 'GPUDevice.createBuffer', bufferBytes);
    this.#charge<api.GPUTextureDescriptor>(guard, 'GPUDevice.createTexture', textureBytes);
    this.#charge<api.GPUQuerySetDescriptor>(guard, 'GPUDevice.createQuerySet', querySetBytes);
    this.#chargeDevices(guard);
    this.#follow(guard);
  }

  #refusal(path: string, bytes: number): Refusal {
    const { limitBytes, usedBytes } = this.ledger;
    const reason = `allows ${limitBytes} bytes of GPU memory, of which ${usedBytes} are in use, and ${bytes} are asked for`;
    return new Refusal('out-of-memory', path, 'budget.gpuMemory', reason, String(bytes));
  }

  #charge<Descriptor>(guard: Guard, name: string, bytesOf: (descriptor: Descriptor) => number): void {
    guard.around(name, (next, args) => {
      const [device, descriptor] = args as [object, Descriptor];
      const bytes = bytesOf(descriptor);
      if (!this.ledger.fits(bytes)) return guard.refuse(this.#refusal(name, bytes));
      const made = next(...args) as object;
      this.ledger.charge(made, bytes);
      const objects = this.#of(device);
      objects.charged.add(made);
      this.#deviceOf.set(made, objects);
      return made;
    });
  }

  #chargeDevices(guard: Guard): void {
    const name = 'GPUAdapter.requestDevice';
    guard.around(name, async (next, args) => {
      const charge = {};
      if (!this.ledger.charge(charge, DEVICE_BYTES)) return guard.refuse(this.#refusal(name, DEVICE_BYTES));
      this.#promised.push(charge);
      try {
        return await next(...args);
      } catch (error) {
        this.ledger.free(this.#promised.pop()!);
        throw error;
      }
    });
  }

  /** Follows what keeps memory alive whose id is released. */
  #follow(guard: Guard): void {
    guard.around('GPUTexture.createView', (next, args) => this.#refer(next(...args) as object, [args[0] as object]));
    guard.around('GPUDevice.createBindGroup', (next, args) => {
      const { entries } = args[1] as api.GPUBindGroupDescriptor;
      return this.#refer(
        next(...args) as object,
        [...entries].flatMap(({ resource }) => this.#memoryOf(resource)),
      );
    });
    for (const name of ['GPUDevice.createCommandEncoder', 'GPUDevice.createRenderBundleEncoder'])
      guard.around(name, (next, args) => {
        const encoder = next(...args) as object;
        this.#recordings.begin(encoder);
        const objects = this.#of(args[0] as object);
        objects.recordings.add(encoder);
        this.#deviceOf.set(encoder, objects);
        return encoder;
      });
    for (const name of ['GPUCommandEncoder.finish', 'GPURenderBundleEncoder.finish'])
      guard.around(name, (next, args) => {
        const encoder = args[0] as object;
        const made = next(...args) as object;
        const objects = this.#deviceOf.get(encoder);
        this.#recordings.move(encoder, made);
        objects?.recordings.delete(encoder);
        objects?.recordings.add(made);
        if (objects !== undefined) this.#deviceOf.set(made, objects);
        return made;
      });
    guard.around('GPUQueue.submit', (next, args) => {
      const result = next(...args);
      for (const commandBuffer of args[1] as object[]) this.#endRecording(commandBuffer);
      return result;
    });
    for (const name of ['GPUBuffer.destroy', 'GPUTexture.destroy', 'GPUQuerySet.destroy'])
      guard.around(name, (next, args) => {
        const target = args[0] as object;
        const result = next(...args);
        this.ledger.free(target);
        return result;
      });
  }

  #of(device: object): DeviceObjects {
    let objects = this.#objectsOf.get(device);
    if (objects === undefined) this.#objectsOf.set(device, (objects = new DeviceObjects()));
    return objects;
  }

  /** The objects with memory that a resource of a bind group stands for. */
  #memoryOf(resource: unknown): object[] {
    const object = resource as object;
    // A view or a texture; a buffer as it is, or within a GPUBufferBinding.
    if ('buffer' in object) return [object.buffer as object];
    return this.#references.get(object) ?? [object];
  }

  #refer(holder: object, memory: object[]): object {
    for (const one of memory) this.ledger.addReference(one);
    this.#references.set(holder, memory);
    return holder;
  }

  #endRecording(recording: object): void {
    this.#deviceOf.get(recording)?.recordings.delete(recording);
    this.#recordings.end(recording);
  }

  /** The guest has let go of an object's id. */
  released(object: object): void {
    this.#endRecording(object);
    const references = this.#references.get(object);
    const objects = this.#deviceOf.get(object);
    if (references === undefined && objects?.charged.has(object) !== true) return;
    this.#recordings.afterwards(() => {
      for (const one of references ?? []) this.ledger.dropReference(one);
      this.ledger.release(object);
    });
  }

  /** A device is there that `requestDevice` promised. */
  deviceMade(device: object): void {
    const charge = this.#promised.pop();
    if (charge !== undefined) this.#of(device).charged.add(charge);
  }

  /** A device is gone, with all that was made of it. */
  deviceGone(device: object): void {
    const objects = this.#objectsOf.get(device);
    if (objects === undefined) return;
    this.#objectsOf.delete(device);
    for (const object of objects.charged) this.ledger.free(object);
    for (const recording of objects.recordings) this.#recordings.end(recording);
  }
}
