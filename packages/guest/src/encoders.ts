import {
  encodeBindingCommandsSetBindGroup,
  encodeBindingCommandsSetImmediates,
  encodeCommandEncoderCopyBufferToBuffer,
  GPUCommandEncoderBase,
  GPUComputePassEncoderBase,
  GPURenderBundleEncoderBase,
  GPURenderPassEncoderBase,
} from '@vesper-gpu/protocol/guest';
import type { ByteSource, CommandStream, RemoteObject } from '@vesper-gpu/wire';
import { byteRange } from './ranges.ts';

export class CommandEncoder extends GPUCommandEncoderBase {
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
    this.stream.selectEncoder(this.id);
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
  stream: CommandStream,
  encoder: number,
  index: number,
  bindGroup: number | null,
  dynamicOffsets: readonly number[],
): void {
  stream.selectEncoder(encoder);
  encodeBindingCommandsSetBindGroup(stream.writer, index, bindGroup, dynamicOffsets);
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
  encoder: RemoteObject,
  rangeOffset: number,
  data: ByteSource,
  dataOffset: number,
  dataSize: number | undefined,
): void {
  const bytes = byteRange(data, dataOffset, dataSize, (what) => new RangeError(`setImmediates: ${what}`));
  encoder.stream.selectEncoder(encoder.id);
  encodeBindingCommandsSetImmediates(encoder.stream.writer, rangeOffset, bytes);
}

export class ComputePassEncoder extends GPUComputePassEncoderBase {
  override setBindGroup3(index: number, bindGroup: number | null, dynamicOffsets: readonly number[]): void {
    setBindGroup(this.stream, this.id, index, bindGroup, dynamicOffsets);
  }

  override setBindGroup5(
    index: number,
    bindGroup: number | null,
    data: Uint32Array,
    start: number,
    length: number,
  ): void {
    setBindGroup(this.stream, this.id, index, bindGroup, offsetsOf(data, start, length));
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
  override setBindGroup3(index: number, bindGroup: number | null, dynamicOffsets: readonly number[]): void {
    setBindGroup(this.stream, this.id, index, bindGroup, dynamicOffsets);
  }

  override setBindGroup5(
    index: number,
    bindGroup: number | null,
    data: Uint32Array,
    start: number,
    length: number,
  ): void {
    setBindGroup(this.stream, this.id, index, bindGroup, offsetsOf(data, start, length));
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
    setBindGroup(this.stream, this.id, index, bindGroup, dynamicOffsets);
  }

  override setBindGroup5(
    index: number,
    bindGroup: number | null,
    data: Uint32Array,
    start: number,
    length: number,
  ): void {
    setBindGroup(this.stream, this.id, index, bindGroup, offsetsOf(data, start, length));
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
