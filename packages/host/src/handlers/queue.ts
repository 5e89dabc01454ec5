import { GPUQueueHandlers, type api } from '@vesper-gpu/protocol/host';

export class QueueHandlers extends GPUQueueHandlers {
  override async onSubmittedWorkDone(target: api.GPUQueue): Promise<void> {
    await target.onSubmittedWorkDone();
  }

  /** `data` is a view of the frame: the backend copies it before it returns. */
  override writeBuffer(
    target: api.GPUQueue,
    buffer: api.GPUBuffer,
    bufferOffset: number,
    data: Uint8Array<ArrayBuffer>,
  ): void {
    target.writeBuffer(buffer, bufferOffset, data);
  }

  override writeTexture(
    target: api.GPUQueue,
    destination: api.GPUTexelCopyTextureInfo,
    dataLayout: api.GPUTexelCopyBufferLayout,
    size: api.GPUExtent3DDict,
    data: Uint8Array<ArrayBuffer>,
  ): void {
    target.writeTexture(destination, data, dataLayout, size);
  }
}
