import { connect, type GuestConnection } from '@vesper-gpu/guest';
import type { Transport } from '@vesper-gpu/wire';

/** What the program asks behind its adapter and its device; the requests have these numbers. */
export const PROGRAM_REQUESTS = [
  'GPU.requestAdapter',
  'GPUAdapter.requestDevice',
  'GPU.requestAdapter',
  'GPU.requestAdapter',
  'GPUAdapter.requestDevice',
  'GPUBuffer.mapAsync',
  'GPUDevice.popErrorScope',
  'GPUQueue.onSubmittedWorkDone',
  'GPUShaderModule.getCompilationInfo',
  'GPUDevice.createComputePipelineAsync',
  'GPUDevice.createRenderPipelineAsync',
] as const;

/** How many of them are answered one by one, before the others are asked. */
export const FIRST_ANSWERS = 3;

/** How a program of a guest came to its end. */
export interface ProgramEnd {
  /** How each request ended, in order of their numbers: a value, or an error by its name. */
  readonly outcomes: readonly string[];
  /** What the program was told of the end of its connection. */
  readonly message: string;
}

/**
 * A program with a device and a request of every kind under way: what a host that means harm has to do with.
 * @returns how it ended; it does once the connection has, whatever the host said.
 */
export async function runGuestProgram(transport: Transport): Promise<ProgramEnd> {
  const outcomes: string[] = [];
  let connection: GuestConnection;
  try {
    connection = await connect(transport);
  } catch (error) {
    return { outcomes, message: String(error) };
  }
  const { gpu } = connection;
  const outcome = (promise: Promise<unknown>): Promise<string> =>
    promise.then(
      (value) => (value === null ? 'null' : typeof value),
      (error: unknown) => (error instanceof Error ? error.name : String(error)),
    );
  const adapters = await attempt(async () => {
    const first = await gpu.requestAdapter();
    const device = await first!.requestDevice();
    const second = await gpu.requestAdapter();
    if (second === null) throw new Error('the host has no adapter any more');
    return { device, second };
  });
  if (adapters === undefined) {
    await connection.ended;
    return { outcomes, message: 'the connection ended before there was a device' };
  }
  const { device, second } = adapters;
  const module = device.createShaderModule({ code: '' });
  device.pushErrorScope('validation');
  const layout = 'auto' as const;
  const pending: Promise<unknown>[] = [
    gpu.requestAdapter(),
    second.requestDevice(),
    device.createBuffer({ size: 16, usage: 1 }).mapAsync(1),
    device.popErrorScope(),
    device.queue.onSubmittedWorkDone(),
    module.getCompilationInfo(),
    device.createComputePipelineAsync({ layout, compute: { module } }),
    device.createRenderPipelineAsync({ layout, vertex: { module } }),
  ];
  outcomes.push(...(await Promise.all(pending.map(outcome))));
  const { message } = await device.lost;
  await connection.ended;
  return { outcomes, message };
}

/** Undefined where it fails: the host has refused, or has gone. */
async function attempt<T>(act: () => Promise<T>): Promise<T | undefined> {
  try {
    return await act();
  } catch {
    return undefined;
  }
}
