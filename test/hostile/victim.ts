import { connect, type GuestConnection } from '@vesper-gpu/guest';
import {
  encodeVesperAdapterReply,
  encodeVesperCapabilities,
  Opcode,
  type VesperCapabilitiesValue,
} from '@vesper-gpu/protocol/host';
import { encodeHello, WireWriter } from '@vesper-gpu/wire';
import { HOST_HELLO } from '../session/pair.ts';
import { ScriptedTransport } from '../session/scripted-transport.ts';
import { frame } from './arena.ts';

const CAPABILITIES: VesperCapabilitiesValue = {
  features: ['core-features-and-limits'],
  limits: [['maxBufferSize', 1 << 28]],
  info: {
    vendor: '',
    architecture: '',
    device: '',
    description: '',
    subgroupMinSize: 4,
    subgroupMaxSize: 64,
    isFallbackAdapter: false,
  },
};

/** What the guest asks, by the command; each asked once, in this order, behind an adapter and a device. */
const FIRST_REQUEST = 4;
export const REQUESTS = [
  'GPU.requestAdapter',
  'GPUAdapter.requestDevice',
  'GPUBuffer.mapAsync',
  'GPUDevice.popErrorScope',
  'GPUQueue.onSubmittedWorkDone',
  'GPUShaderModule.getCompilationInfo',
  'GPUDevice.createComputePipelineAsync',
  'GPUDevice.createRenderPipelineAsync',
] as const;

export type RequestName = (typeof REQUESTS)[number];

/** A guest with a device and one request of each kind under way, and a host that may say anything. */
export class Victim {
  readonly transport = new ScriptedTransport();
  device!: GPUDevice;
  readonly #pending = new Map<RequestName, Promise<string>>();
  readonly #settled = new Set<RequestName>();
  /** The end of the connection, once it has ended. */
  endedBy: string | undefined;

  static async open(): Promise<Victim> {
    const victim = new Victim();
    const connecting = connect(victim.transport);
    victim.transport.handlers.bytes(encodeHello(HOST_HELLO));
    await victim.#fill(await connecting);
    return victim;
  }

  async #fill({ gpu }: GuestConnection): Promise<void> {
    const adapter = await this.#answered(gpu.requestAdapter(), Opcode.gpuRequestAdapter, 1, (w) =>
      encodeVesperAdapterReply(w, { adapter: CAPABILITIES }),
    );
    const capabilities = (w: WireWriter): void => encodeVesperCapabilities(w, CAPABILITIES);
    this.device = await this.#answered(adapter!.requestDevice(), Opcode.adapterRequestDevice, 2, capabilities);
    const second = await this.#answered(gpu.requestAdapter(), Opcode.gpuRequestAdapter, 3, (w) =>
      encodeVesperAdapterReply(w, { adapter: CAPABILITIES }),
    );
    const { device } = this;
    void device.lost.then(({ message }) => (this.endedBy = message));
    const module = device.createShaderModule({ code: '' });
    device.pushErrorScope('validation');
    const pending: Record<RequestName, Promise<unknown>> = {
      'GPU.requestAdapter': gpu.requestAdapter(),
      'GPUAdapter.requestDevice': second!.requestDevice(),
      'GPUBuffer.mapAsync': device.createBuffer({ size: 16, usage: 1 }).mapAsync(1),
      'GPUDevice.popErrorScope': device.popErrorScope(),
      'GPUQueue.onSubmittedWorkDone': device.queue.onSubmittedWorkDone(),
      'GPUShaderModule.getCompilationInfo': module.getCompilationInfo(),
      'GPUDevice.createComputePipelineAsync': device.createComputePipelineAsync({
        layout: 'auto',
        compute: { module },
      }),
      'GPUDevice.createRenderPipelineAsync': device.createRenderPipelineAsync({ layout: 'auto', vertex: { module } }),
    };
    for (const name of REQUESTS) {
      const settled = pending[name].then(
        () => 'resolved',
        (error: Error) => error.name,
      );
      this.#pending.set(
        name,
        settled.then((how) => {
          this.#settled.add(name);
          return how;
        }),
      );
    }
    await nextTask();
  }

  /** Answers a request as a good host does. */
  async #answered<T>(promise: Promise<T>, opcode: number, id: number, payload: (w: WireWriter) => void): Promise<T> {
    const writer = new WireWriter();
    const record = writer.begin(opcode);
    writer.u32(id);
    writer.u32(0);
    payload(writer);
    writer.end(record);
    await nextTask();
    this.transport.handlers.bytes(writer.takeFrame());
    return promise;
  }

  /** The id of the request that waits. */
  static requestId(name: RequestName): number {
    return FIRST_REQUEST + REQUESTS.indexOf(name);
  }

  /** The host says this. Nothing may be thrown: nobody is there to catch it. */
  async hear(...records: readonly Int32Array[]): Promise<void> {
    await this.hearBytes(frame(...records));
  }

  async hearBytes(bytes: Uint8Array): Promise<void> {
    this.transport.handlers.bytes(bytes);
    await nextTask();
  }

  hasSettled(name: RequestName): boolean {
    return this.#settled.has(name);
  }

  /** How everything ends, once the host is gone. Never resolves when something hangs. */
  async allSettled(): Promise<Record<string, string>> {
    if (this.transport.closes > 0) this.transport.handlers.closed();
    const outcomes = await Promise.all(REQUESTS.map(async (name) => [name, await this.#pending.get(name)!] as const));
    await this.device.lost;
    return Object.fromEntries(outcomes);
  }

  /** The host goes away. */
  leave(): void {
    this.transport.handlers.closed();
  }
}

export function nextTask(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
