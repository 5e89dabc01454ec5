import type {
  GPUBindGroupDescriptorValue,
  GPUBindGroupLayoutDescriptorValue,
  GPUComputePipelineDescriptorValue,
  GPUPipelineLayoutDescriptorValue,
  GPUProgrammableStageValue,
  GPURenderBundleEncoderDescriptorValue,
  GPURenderPassDescriptorValue,
  GPURenderPipelineDescriptorValue,
} from '@vesper-gpu/protocol/guest';
import { MAX_LABEL_LENGTH, RecordTooLargeError, type CommandStream, type RemoteObject } from '@vesper-gpu/wire';

/**
 * A call may say more than the host takes in one message: a million entries, gigabytes of data. That is an error of
 * WebGPU, not the end of the session. What such a call makes is made from a descriptor that is invalid whatever the
 * backend's limits, so that the backend reports the error, in the scope that is open, and the object is an invalid one.
 */

/** More items than any backend takes where WebGPU limits their number; few enough for every host. */
export const TOO_MANY = 4096;

/** Does `whole`; where the host does not take so much, does `instead`, which is told why. */
export function orWhereTooLarge<T>(whole: () => T, instead: (why: string) => T): T {
  try {
    return whole();
  } catch (error) {
    if (error instanceof RecordTooLargeError) return instead(error.message);
    throw error;
  }
}

/** `orWhereTooLarge` for what creates an object: `instead` allocates its id once more, and gets the same one. */
export function makeOrWhereTooLarge<T>({ ids }: CommandStream, whole: () => T, instead: (why: string) => T): T {
  return orWhereTooLarge(whole, (why) => {
    ids.takeBack();
    return instead(why);
  });
}

/**
 * Makes an object from a descriptor that stands for another. The reason is its label on the host, as messages of
 * errors tell labels; the program sees its own.
 */
export function standIn<Descriptor extends { label: string }, Made extends RemoteObject>(
  descriptor: Descriptor,
  why: string,
  make: (labelled: Descriptor) => Made,
): Made {
  const { label } = descriptor;
  const made = make({ ...descriptor, label: label === '' ? why : `${why} (${label})` });
  made.label = label;
  return made;
}

/** The same binding twice. */
function twice<Entry>(entries: readonly Entry[]): readonly Entry[] {
  const first = entries.slice(0, 1);
  return [...first, ...first];
}

export function invalidBindGroupLayout(
  descriptor: GPUBindGroupLayoutDescriptorValue,
): GPUBindGroupLayoutDescriptorValue {
  return { ...descriptor, entries: twice(descriptor.entries) };
}

export function invalidBindGroup(descriptor: GPUBindGroupDescriptorValue): GPUBindGroupDescriptorValue {
  return { ...descriptor, entries: twice(descriptor.entries) };
}

export function invalidPipelineLayout(descriptor: GPUPipelineLayoutDescriptorValue): GPUPipelineLayoutDescriptorValue {
  return { ...descriptor, bindGroupLayouts: descriptor.bindGroupLayouts.slice(0, TOO_MANY) };
}

export function invalidBundleEncoder(
  descriptor: GPURenderBundleEncoderDescriptorValue,
): GPURenderBundleEncoderDescriptorValue {
  return { ...descriptor, colorFormats: descriptor.colorFormats.slice(0, TOO_MANY) };
}

export function invalidRenderPass(descriptor: GPURenderPassDescriptorValue): GPURenderPassDescriptorValue {
  return { ...descriptor, colorAttachments: descriptor.colorAttachments.slice(0, TOO_MANY) };
}

/** No shader has a constant whose name is a sentence: the backend's error quotes it. */
function invalidStage({ module, entryPoint }: GPUProgrammableStageValue, why: string): GPUProgrammableStageValue {
  return { module, entryPoint: entryPoint?.slice(0, MAX_LABEL_LENGTH), constants: [[why, 0]] };
}

export function invalidComputePipeline(
  descriptor: GPUComputePipelineDescriptorValue,
  why: string,
): GPUComputePipelineDescriptorValue {
  return { ...descriptor, compute: invalidStage(descriptor.compute, why) };
}

export function invalidRenderPipeline(
  descriptor: GPURenderPipelineDescriptorValue,
  why: string,
): GPURenderPipelineDescriptorValue {
  return { ...descriptor, vertex: { ...invalidStage(descriptor.vertex, why), buffers: [] }, fragment: undefined };
}
