import {
  encodeQueueOnSubmittedWorkDone,
  encodeQueueSubmit,
  encodeQueueWriteBuffer,
  encodeQueueWriteTexture,
  encodeStreamInjectError,
  GPUQueueBase,
  type api,
  type GPUCopyExternalImageDestInfoValue,
  type GPUCopyExternalImageSourceInfoValue,
  type GPUExtent3DDictValue,
  type GPUTexelCopyBufferLayoutValue,
  type GPUTexelCopyTextureInfoValue,
} from '@vesper-gpu/protocol/guest';
import { bytesOf, type ByteSource, type RemoteObject } from '@vesper-gpu/wire';
import { externalImageTexels } from './external-image.ts';
import { operationError } from './errors.ts';
import { byteRange } from './ranges.ts';
import { orWhereTooLarge } from './too-large.ts';

export class Queue extends GPUQueueBase {
  /** Held, so that its id stays bound as long as errors can be reported to it. */
  readonly #device: RemoteObject;

  constructor(device: RemoteObject, id: number, label: string) {
    super(device, id, label);
    this.#device = device;
  }

  override submit(commandBuffers: readonly number[]): void {
    orWhereTooLarge(
      () => encodeQueueSubmit(this.stream.writer, this.id, commandBuffers),
      (why) => this.#report('validation', `GPUQueue.submit: ${why}`),
    );
    this.stream.submitted();
  }

  #report(type: api.GPUErrorFilter, message: string): void {
    encodeStreamInjectError(this.stream.writer, this.#device.id, type, message);
  }

  /** Resolves when the device is lost, too: then there is no work left. */
  override async onSubmittedWorkDone(): Promise<void> {
    const { stream, id } = this;
    await stream
      .request(
        () => undefined,
        (request) => encodeQueueOnSubmittedWorkDone(stream.writer, id, request),
      )
      .catch(() => {});
  }

  override writeBuffer(
    buffer: number,
    bufferOffset: number,
    data: ByteSource,
    dataOffset: number,
    size: number | undefined,
  ): void {
    const bytes = byteRange(data, dataOffset, size, (what) => operationError(`GPUQueue.writeBuffer: ${what}`));
    orWhereTooLarge(
      () => encodeQueueWriteBuffer(this.stream.writer, this.id, buffer, bufferOffset, bytes),
      (why) => this.#report('out-of-memory', `GPUQueue.writeBuffer: ${why}`),
    );
  }

  override writeTexture(
    destination: GPUTexelCopyTextureInfoValue,
    data: ByteSource,
    dataLayout: GPUTexelCopyBufferLayoutValue,
    size: GPUExtent3DDictValue,
  ): void {
    const bytes = bytesOf(data);
    const { offset, bytesPerRow, rowsPerImage } = dataLayout;
    let layout = dataLayout;
    let needed = bytes;
    // More than the copy can need, whatever the format: a shorter row is an error whatever the data.
    if (bytesPerRow !== undefined && offset <= bytes.byteLength) {
      const most = bytesPerRow * (rowsPerImage ?? size.height) * size.depthOrArrayLayers;
      needed = bytes.subarray(offset, Math.min(bytes.byteLength, offset + most));
      layout = { ...dataLayout, offset: 0 };
    }
    this.#writeTexture('writeTexture', destination, layout, size, needed);
  }

  override copyExternalImageToTexture(
    source: GPUCopyExternalImageSourceInfoValue,
    destination: GPUCopyExternalImageDestInfoValue,
    copySize: GPUExtent3DDictValue,
  ): void {
    const copied = externalImageTexels(this.stream, source, destination, copySize);
    if (typeof copied === 'string') {
      this.#report('validation', copied);
      return;
    }
    const { texels, bytesPerRow } = copied;
    const layout = { offset: 0, bytesPerRow, rowsPerImage: undefined };
    this.#writeTexture('copyExternalImageToTexture', destination, layout, copySize, texels);
  }

  #writeTexture(
    method: string,
    destination: GPUTexelCopyTextureInfoValue,
    layout: GPUTexelCopyBufferLayoutValue,
    size: GPUExtent3DDictValue,
    data: Uint8Array,
  ): void {
    orWhereTooLarge(
      () => encodeQueueWriteTexture(this.stream.writer, this.id, destination, layout, size, data),
      (why) => this.#report('out-of-memory', `GPUQueue.${method}: ${why}`),
    );
  }
}
