import type { api } from '@vesper-gpu/protocol/host';
import type { Flow } from '../flow.ts';
import type { Guard } from './guard.ts';
import { MemoryLedger } from './memory-ledger.ts';
import { Recordings } from './recordings.ts';
import { Refusal } from './refusal.ts';
import { bufferBytes, querySetBytes, stagingBytes, textureBytes } from './texture-size.ts';

/** Calls `act` once `queue` has done all that it was given by now. */
export type WhenDone = (queue: object | undefined, act: () => void) => void;

/** What a device is charged with before anything is made of it: about what a driver sets aside. */
export const DEVICE_BYTES = 4 << 20;

/** The account of an object, in place of the object: that must not be kept from being collected. */
interface Charge {
  readonly bytes: number;
  /** What it is for, from its release until nothing needs it any more. */
  object?: object;
  /** Where it is of a device that is there. */
  readonly objects: DeviceObjects | undefined;
  readonly madeAt: number;
}

/** What a device's guest has of it that counts. */
interface DeviceObjects {
  /** Of the backend. */
  readonly queue: object | undefined;
  readonly charges: Set<Charge>;
  readonly recordings: Set<object>;
}

/** A view, or a bind group. */
interface Holder {
  readonly charges: readonly Charge[];
  readonly madeAt: number;
}

type WriteTextureArguments = [
  queue: api.GPUQueue,
  destination: api.GPUTexelCopyTextureInfo,
  layout: api.GPUTexelCopyBufferLayout,
  size: api.GPUExtent3DDict,
];

/** Keeps the account of a session's GPU memory, and refuses what does not fit. */
export class GPUMemory {
  readonly ledger: MemoryLedger;
  readonly #recordings = new Recordings();
  readonly #charges = new WeakMap<object, Charge>();
  /** What an object keeps alive: a view its texture, a bind group its buffers and textures. */
  readonly #holders = new WeakMap<object, Holder>();
  readonly #objectsOf = new Map<object, DeviceObjects>();
  /** Of encoders, command buffers and render bundles. */
  readonly #recorderOf = new WeakMap<object, DeviceObjects>();
  /** Charges of devices that were asked for and are not there yet. */
  readonly #promised: Charge[] = [];

  /** Whether memory is limited: it is freed at once then, and not when the engine collects. */
  readonly #isLimited: boolean;
  readonly #whenDone: WhenDone;
  readonly #flow: Flow | undefined;
  /** Of what is charged: destroyed, or of no use any more, and waiting for the GPU. */
  #pendingBytes = 0;
  readonly #awaitFree: (() => void)[] = [];

  /**
   * @param limitBytes Infinity where the memory is only to be counted.
   * @param flow held while memory is waited for.
   * @param whenDone calls back once a queue has done what it was given: until then its memory is in use.
   */
  constructor(guard: Guard, limitBytes: number, whenDone: WhenDone = (_, act) => act(), flow?: Flow) {
    this.#isLimited = limitBytes < Infinity;
    this.#whenDone = whenDone;
    this.#flow = flow;
    this.ledger = new MemoryLedger(
      limitBytes,
      (charge) => (charge as Charge).objects?.charges.delete(charge as Charge),
      (charge) => this.#unneeded(charge as Charge),
    );
    this.#charge<api.GPUBufferDescriptor>(guard, 'GPUDevice.createBuffer', bufferBytes);
    this.#charge<api.GPUTextureDescriptor>(guard, 'GPUDevice.createTexture', textureBytes);
    this.#charge<api.GPUQuerySetDescriptor>(guard, 'GPUDevice.createQuerySet', querySetBytes);
    this.#chargeDevices(guard);
    this.#follow(guard);
    if (this.#isLimited) this.#chargeStaging(guard);
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
      const objects = this.#of(device);
      const charge: Charge = { bytes, objects, madeAt: this.#recordings.now() };
      this.ledger.charge(charge, bytes);
      objects.charges.add(charge);
      this.#charges.set(made, charge);
      return made;
    });
  }

  #chargeDevices(guard: Guard): void {
    const name = 'GPUAdapter.requestDevice';
    guard.around(name, async (next, args) => {
      const charge: Charge = { bytes: DEVICE_BYTES, objects: undefined, madeAt: 0 };
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

  /**
   * What is written to a texture is set aside until the queue has done it, row by row: of narrow textures, that is many
   * times as much as was sent.
   */
  #chargeStaging(guard: Guard): void {
    const name = 'GPUQueue.writeTexture';
    guard.around(name, (next, args) => {
      const [queue, destination, , size] = args as WriteTextureArguments;
      const bytes = stagingBytes(destination.texture.format, size);
      const charge: Charge = { bytes, objects: undefined, madeAt: 0 };
      if (!this.ledger.charge(charge, bytes)) return guard.refuse(this.#refusal(name, bytes));
      try {
        return next(...args);
      } finally {
        this.#freeWhenDone(queue, charge);
      }
    });
  }

  /** Follows what keeps memory alive whose id is released. */
  #follow(guard: Guard): void {
    guard.around('GPUTexture.createView', (next, args) => {
      const charge = this.#charges.get(args[0] as object);
      return this.#hold(next(...args) as object, charge === undefined ? [] : [charge]);
    });
    guard.around('GPUDevice.createBindGroup', (next, args) => {
      const { entries } = args[1] as api.GPUBindGroupDescriptor;
      return this.#hold(
        next(...args) as object,
        [...entries].flatMap(({ resource }) => this.#chargesOf(resource)),
      );
    });
    for (const name of ['GPUDevice.createCommandEncoder', 'GPUDevice.createRenderBundleEncoder'])
      guard.around(name, (next, args) => {
        const encoder = next(...args) as object;
        this.#recordings.begin(encoder);
        const objects = this.#of(args[0] as object);
        objects.recordings.add(encoder);
        this.#recorderOf.set(encoder, objects);
        return encoder;
      });
    for (const name of ['GPUCommandEncoder.finish', 'GPURenderBundleEncoder.finish'])
      guard.around(name, (next, args) => {
        const encoder = args[0] as object;
        const made = next(...args) as object;
        const objects = this.#recorderOf.get(encoder);
        if (name === 'GPUCommandEncoder.finish') this.#recordings.move(encoder, made);
        else this.#recordings.moveToBundle(encoder, made);
        objects?.recordings.delete(encoder);
        objects?.recordings.add(made);
        if (objects !== undefined) this.#recorderOf.set(made, objects);
        return made;
      });
    guard.around('GPUQueue.submit', (next, args) => {
      const result = next(...args);
      for (const commandBuffer of args[1] as object[]) this.#endRecording(commandBuffer);
      return result;
    });
    for (const name of ['GPUBuffer.destroy', 'GPUTexture.destroy', 'GPUQuerySet.destroy'])
      guard.around(name, (next, args) => {
        const charge = this.#charges.get(args[0] as object);
        const result = next(...args);
        if (charge !== undefined) this.#freeWhenDone(charge.objects?.queue, charge);
        return result;
      });
  }

  /** Nothing of the guest's can reach it any more. The backend would wait until the engine collects its object. */
  #unneeded(charge: Charge): void {
    const { object, objects } = charge;
    delete charge.object;
    try {
      (object as Partial<Pick<api.GPUBuffer, 'destroy'>> | undefined)?.destroy?.();
    } catch {
      // It is let go of in any case.
    }
    this.#freeWhenDone(objects?.queue, charge);
  }

  /** What is on its way to be free, but for what the GPU still does with it. */
  #freeWhenDone(queue: object | undefined, charge: Charge): void {
    this.#pendingBytes += charge.bytes;
    this.#whenDone(queue, () => {
      this.#pendingBytes -= charge.bytes;
      this.ledger.free(charge);
      if (this.#pendingBytes > 0) return;
      this.#flow?.release('memory');
      for (const resolve of this.#awaitFree.splice(0)) resolve();
    });
  }

  /** Resolves once what was destroyed is free. */
  async allFree(): Promise<void> {
    if (this.#pendingBytes > 0) await new Promise<void>((resolve) => this.#awaitFree.push(resolve));
  }

  /**
   * Whether what is asked for next should wait for memory that is about to be free: where little is left, so that a
   * program which destroys and makes things anew gets them. Nothing more is executed then until that is so.
   */
  shouldWait(): boolean {
    const { limitBytes, usedBytes } = this.ledger;
    if (this.#pendingBytes === 0 || usedBytes <= limitBytes / 2) return false;
    this.#flow?.hold('memory');
    return true;
  }

  #of(device: object): DeviceObjects {
    let objects = this.#objectsOf.get(device);
    if (objects === undefined)
      this.#objectsOf.set(
        device,
        (objects = {
          queue: (device as Partial<api.GPUDevice>).queue,
          charges: new Set(),
          recordings: new Set(),
        }),
      );
    return objects;
  }

  /** The charges of what a resource of a bind group stands for. */
  #chargesOf(resource: unknown): readonly Charge[] {
    const object = resource as object;
    // A view or a texture; a buffer as it is, or within a GPUBufferBinding.
    const holder = this.#holders.get(object);
    if (holder !== undefined) return holder.charges;
    const charge = this.#charges.get('buffer' in object ? (object.buffer as object) : object);
    return charge === undefined ? [] : [charge];
  }

  #hold(holder: object, charges: readonly Charge[]): object {
    for (const charge of charges) this.ledger.addReference(charge);
    if (charges.length > 0) this.#holders.set(holder, { charges, madeAt: this.#recordings.now() });
    return holder;
  }

  #endRecording(recording: object): void {
    this.#recorderOf.get(recording)?.recordings.delete(recording);
    this.#recordings.end(recording);
  }

  /** The guest has let go of an object's id. */
  released(object: object): void {
    this.#recordings.endBundle(object);
    if (this.#recordings.isEncoding(object)) this.#endRecording(object);
    const charge = this.#charges.get(object);
    if (charge !== undefined) {
      if (this.#isLimited) charge.object = object;
      this.#recordings.afterwards(charge.madeAt, () => this.ledger.release(charge));
    }
    const holder = this.#holders.get(object);
    if (holder === undefined) return;
    // Once: an id of a substitute can be released many times.
    this.#holders.delete(object);
    this.#recordings.afterwards(holder.madeAt, () => {
      for (const one of holder.charges) this.ledger.dropReference(one);
    });
  }

  /** A device is there that `requestDevice` promised. */
  deviceMade(device: object): void {
    const charge = this.#promised.pop();
    if (charge !== undefined) this.#of(device).charges.add(charge);
  }

  /** A device is gone, with all that was made of it. */
  deviceGone(device: object): void {
    const objects = this.#objectsOf.get(device);
    if (objects === undefined) return;
    this.#objectsOf.delete(device);
    for (const charge of objects.charges) this.ledger.free(charge);
    for (const recording of objects.recordings) this.#recordings.end(recording);
  }
}
