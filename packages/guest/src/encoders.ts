import {
  bindingCommandsSetBindGroupState,
  ENCODER_STATE_KEYS,
  encodeBindingCommandsSetBindGroup,
  encodeBindingCommandsSetImmediates,
  encodeCommandEncoderCopyBufferToBuffer,
  encodeComputePassEncoderEnd,
  encodeRenderPassEncoderEnd,
  encodeRenderPassEncoderExecuteBundles,
  encodeStreamInjectError,
  GPUCommandEncoderBase,
  GPUComputePassEncoderBase,
  GPURenderBundleEncoderBase,
  GPURenderPassEncoderBase,
  type GPUCommandBufferDescriptorValue,
  type GPUCommandBufferImplementation,
  type GPUComputePassDescriptorValue,
  type GPUComputePassEncoderImplementation,
  type GPURenderPassDescriptorValue,
  type GPURenderPassEncoderImplementation,
} from '@vesper-gpu/protocol/guest';
import type { ByteSource, RemoteEncoder, RemoteObject, WireWriter } from '@vesper-gpu/wire';
import { byteRange } from './ranges.ts';
import { invalidRenderPass, makeOrWhereTooLarge, standIn, TOO_MANY } from './too-large.ts';

/** Bundles of one record; more of them take several, which comes to the same. */
const MAX_BUNDLES = 64 << 10;

/**
 * Whether an encoder is open, locked by a pass or ended is kept here as well as on the host: Dawn reports a command to
 * a pass that has ended at `finish`, and WebGPU wants it at once.
 * https://www.w3.org/TR/webgpu/#abstract-opdef-validate-the-encoder-state
 */
export class CommandEncoder extends GPUCommandEncoderBase {
  /** Held, so that its id stays bound as long as errors can be reported to it. */
  readonly #device: RemoteObject;
  /** The pass that locks the encoder until it ends. */
  #openPass: RemoteEncoder | undefined;
  #isFinished = false;

  constructor(device: RemoteObject, id: number, label: string) {
    super(device, id, label);
    this.#device = device;
  }

  override beginComputePass(descriptor: GPUComputePassDescriptorValue): GPUComputePassEncoderImplementation {
    return this.#locked(super.beginComputePass(descriptor));
  }

  override beginRenderPass(descriptor: GPURenderPassDescriptorValue): GPURenderPassEncoderImplementation {
    const pass = makeOrWhereTooLarge(
      this.stream,
      () => super.beginRenderPass(descriptor),
      (why) => standIn(invalidRenderPass(descriptor), why, (invalid) => super.beginRenderPass(invalid)),
    );
    return this.#locked(pass);
  }

  /** A pass that begins while another is open, or when all is over, is invalid and never becomes the open one. */
  #locked<Pass extends RemoteEncoder>(pass: Pass): Pass {
    if (!this.#isFinished) this.#openPass ??= pass;
    return pass;
  }

  override finish(descriptor: GPUCommandBufferDescriptorValue): GPUCommandBufferImplementation {
    this.#isFinished = true;
    this.#openPass = undefined;
    return super.finish(descriptor);
  }

  /** https://www.w3.org/TR/webgpu/#dom-gpurenderpassencoder-end: a pass that is not the open one is reported, and that is all. */
  endPass(pass: RemoteEncoder, encodeEnd: (writer: WireWriter) => void): void {
    if (this.#openPass !== pass) {
      this.report('end of a pass that has ended already, or is not the open one of its encoder');
      return;
    }
    this.#openPass = undefined;
    this.stream.selectEncoder(pass);
    encodeEnd(this.stream.writer);
    this.stream.endEncoder(pass);
  }

  /** A validation error, at once: to the scope that is open now. */
  report(what: string): void {
    const name = this.label === '' ? '' : ` "${this.label}"`;
    encodeStreamInjectError(this.stream.writer, this.#device.id, 'validation', `GPUCommandEncoder${name}: ${what}`);
  }

  override copyBufferToBuffer3(source: number, destination: number, size: number | undefined): void {
    this.copyBufferToBuffer5(source, 0, destination, 0, size);
  }

  override copyBufferToBuffer5(
    source: number,
    sourceOffset: number,
    destination: number,
    destinationOffset: number,
    size: number | undefined,
  ): void {
    if (!this.stream.selectEncoder(this)) return;
    encodeCommandEncoderCopyBufferToBuffer(
      this.stream.writer,
      source,
      sourceOffset,
      destination,
      destinationOffset,
      size,
    );
  }
}

function setBindGroup(
  encoder: RemoteEncoder,
  index: number,
  bindGroup: number | null,
  dynamicOffsets: readonly number[],
): void {
  const { stream } = encoder;
  if (!stream.selectEncoder(encoder)) return;
  if (index < ENCODER_STATE_KEYS) {
    const state = stream.encoderState;
    const at = bindingCommandsSetBindGroupState + index;
    const id = bindGroup ?? 0;
    // Offsets are mostly other ones each time: what was set with some is not remembered.
    if (dynamicOffsets.length > 0) state[at] = Number.NaN;
    else if (state[at] === id) return;
    else state[at] = id;
  }
  // No layout has so many, and a frame could not hold them all.
  const offsets = dynamicOffsets.length > TOO_MANY ? dynamicOffsets.slice(0, TOO_MANY) : dynamicOffsets;
  encodeBindingCommandsSetBindGroup(stream.writer, index, bindGroup, offsets);
}

/** @throws RangeError when the range is not within the array. https://www.w3.org/TR/webgpu/#dom-gpubindingcommandsmixin-setbindgroup-index-bindgroup-dynamicoffsetsdata-dynamicoffsetsdatastart-dynamicoffsetsdatalength */
function offsetsOf(data: Uint32Array, start: number, length: number): number[] {
  if (start + length > data.length) {
    throw new RangeError(
      `setBindGroup: [${start}, ${start + length}) is not within the ${data.length} dynamic offsets`,
    );
  }
  return Array.from(data.subarray(start, start + length));
}

/** @throws RangeError when the range is not within the data. */
function setImmediates(
  encoder: RemoteEncoder,
  rangeOffset: number,
  data: ByteSource,
  dataOffset: number,
  dataSize: number | undefined,
): void {
  const bytes = byteRange(data, dataOffset, dataSize, (what) => new RangeError(`setImmediates: ${what}`));
  if (!encoder.stream.selectEncoder(encoder)) return;
  encodeBindingCommandsSetImmediates(encoder.stream.writer, rangeOffset, bytes);
}

export class ComputePassEncoder extends GPUComputePassEncoderBase {
  readonly #encoder: CommandEncoder;

  constructor(encoder: RemoteObject, id: number, label: string) {
    super(encoder, id, label);
    this.#encoder = encoder as CommandEncoder;
  }

  override end(): void {
    this.#encoder.endPass(this, encodeComputePassEncoderEnd);
  }

  override reportEnded(): void {
    this.#encoder.report('a pass took a command after its end');
  }

  override setBindGroup3(index: number, bindGroup: number | null, dynamicOffsets: readonly number[]): void {
    setBindGroup(this, index, bindGroup, dynamicOffsets);
  }

  override setBindGroup5(
    index: number,
    bindGroup: number | null,
    data: Uint32Array,
    start: number,
    length: number,
  ): void {
    setBindGroup(this, index, bindGroup, offsetsOf(data, start, length));
  }

  override setImmediates(
    rangeOffset: number,
    data: ByteSource,
    dataOffset: number,
    dataSize: number | undefined,
  ): void {
    setImmediates(this, rangeOffset, data, dataOffset, dataSize);
  }
}

export class RenderPassEncoder extends GPURenderPassEncoderBase {
  readonly #encoder: CommandEncoder;

  constructor(encoder: RemoteObject, id: number, label: string) {
    super(encoder, id, label);
    this.#encoder = encoder as CommandEncoder;
  }

  override executeBundles(bundles: readonly number[]): void {
    if (bundles.length <= MAX_BUNDLES) return super.executeBundles(bundles);
    if (!this.stream.selectEncoder(this)) return;
    this.stream.forgetState();
    for (let first = 0; first < bundles.length; first += MAX_BUNDLES) {
      encodeRenderPassEncoderExecuteBundles(this.stream.writer, bundles.slice(first, first + MAX_BUNDLES));
    }
  }

  override end(): void {
    this.#encoder.endPass(this, encodeRenderPassEncoderEnd);
  }

  override reportEnded(): void {
    this.#encoder.report('a pass took a command after its end');
  }

  override setBindGroup3(index: number, bindGroup: number | null, dynamicOffsets: readonly number[]): void {
    setBindGroup(this, index, bindGroup, dynamicOffsets);
  }

  override setBindGroup5(
    index: number,
    bindGroup: number | null,
    data: Uint32Array,
    start: number,
    length: number,
  ): void {
    setBindGroup(this, index, bindGroup, offsetsOf(data, start, length));
  }

  override setImmediates(
    rangeOffset: number,
    data: ByteSource,
    dataOffset: number,
    dataSize: number | undefined,
  ): void {
    setImmediates(this, rangeOffset, data, dataOffset, dataSize);
  }
}

export class RenderBundleEncoder extends GPURenderBundleEncoderBase {
  override setBindGroup3(index: number, bindGroup: number | null, dynamicOffsets: readonly number[]): void {
    setBindGroup(this, index, bindGroup, dynamicOffsets);
  }

  override setBindGroup5(
    index: number,
    bindGroup: number | null,
    data: Uint32Array,
    start: number,
    length: number,
  ): void {
    setBindGroup(this, index, bindGroup, offsetsOf(data, start, length));
  }

  override setImmediates(
    rangeOffset: number,
    data: ByteSource,
    dataOffset: number,
    dataSize: number | undefined,
  ): void {
    setImmediates(this, rangeOffset, data, dataOffset, dataSize);
  }
}
