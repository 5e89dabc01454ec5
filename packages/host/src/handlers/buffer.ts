import {
  GPUBufferHandlers,
  type api,
  type VesperMappedWrite,
  type VesperMapReplyValue,
} from '@vesper-gpu/protocol/host';

/** GPUMapMode.READ */
const READ = 1;

export class BufferHandlers extends GPUBufferHandlers {
  override async mapAsync(
    target: api.GPUBuffer,
    mode: number,
    offset: number,
    size: number | undefined,
  ): Promise<VesperMapReplyValue> {
    await target.mapAsync(mode, offset, size);
    if (mode !== READ) return {};
    return { data: new Uint8Array(target.getMappedRange(offset, size)) };
  }

  override unmap(target: api.GPUBuffer, writes: VesperMappedWrite[]): void {
    try {
      for (const { offset, data } of writes) new Uint8Array(target.getMappedRange(offset, data.byteLength)).set(data);
    } finally {
      target.unmap();
    }
  }
}
