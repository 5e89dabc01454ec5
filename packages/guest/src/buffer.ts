import {
  decodeVesperMapReply,
  encodeBufferDestroy,
  encodeBufferMapAsync,
  encodeBufferUnmap,
  encodeStreamInjectError,
  GPUBufferBase,
  GPUBufferUsage,
  GPUMapMode,
  type api,
  type GPUBufferDescriptorValue,
  type VesperMappedWriteValue,
  type VesperMapReplyValue,
} from '@vesper-gpu/protocol/guest';
import { bytesOf } from '@vesper-gpu/wire';
import type { Device } from './device.ts';
import { abortError, operationError, RequestFailure } from './errors.ts';
import { orWhereTooLarge } from './too-large.ts';

/** Most ranges that are written back one by one. Each can hold a megabyte in the record, which has to fit in a frame. */
const MAX_WRITES = 8;

/** A part of a mapping that the program was given. */
interface MappedRange {
  offset: number;
  size: number;
  buffer: ArrayBuffer;
}

interface Mapping {
  mode: number;
  offset: number;
  size: number;
  /** What the range contains, from its first byte; zeros where undefined. */
  contents: Uint8Array | undefined;
  /** Memory set aside for the whole range, given out when the program asks for all of it. */
  whole: ArrayBuffer | undefined;
  ranges: MappedRange[];
}

/** A map that the host has not answered yet. */
interface PendingMap {
  reject(error: Error): void;
}

/** https://www.w3.org/TR/webgpu/#buffer-mapping: the guest's half of it. */
export class MappableBuffer extends GPUBufferBase {
  readonly #device: Device;
  readonly #size: number;
  readonly #usage: number;
  #mapping: Mapping | undefined;
  #pending: PendingMap | undefined;
  /** What a MAP_WRITE buffer contains: only the guest's own writes, so that it need not be asked for. */
  #shadow: Uint8Array | undefined;

  /** @param whole memory of a buffer that is mapped at creation. */
  constructor(device: Device, id: number, descriptor: GPUBufferDescriptorValue, whole: ArrayBuffer | undefined) {
    super(device, id, descriptor.label);
    this.#device = device;
    this.#size = descriptor.size;
    this.#usage = descriptor.usage;
    if (whole !== undefined)
      this.#map({ mode: GPUMapMode.WRITE, offset: 0, size: descriptor.size, contents: undefined, whole, ranges: [] });
  }

  override get size(): number {
    return this.#size;
  }

  override get usage(): number {
    return this.#usage;
  }

  override get mapState(): api.GPUBufferMapState {
    if (this.#mapping !== undefined) return 'mapped';
    return this.#pending === undefined ? 'unmapped' : 'pending';
  }

  #map(mapping: Mapping): void {
    this.#mapping = mapping;
    this.#device.mappedBuffers.add(this);
  }

  override mapAsync(mode: number, offset: number, size: number | undefined): Promise<void> {
    if (this.#pending !== undefined)
      return Promise.reject(operationError('GPUBuffer.mapAsync: a map is pending already'));
    const { stream, id } = this;
    return new Promise((resolve, reject) => {
      const pending: PendingMap = { reject };
      this.#pending = pending;
      this.#device.mappedBuffers.add(this);
      stream
        .request(decodeVesperMapReply, (request) =>
          encodeBufferMapAsync(stream.writer, id, request, mode, offset, size),
        )
        .then(
          (reply) => {
            // A map that was aborted in the meantime is over; another may have begun.
            if (this.#pending !== pending) return;
            this.#pending = undefined;
            this.#mapped(mode, offset, size ?? Math.max(0, this.#size - offset), reply);
            resolve();
          },
          (error: unknown) => {
            if (this.#pending !== pending) return;
            this.#pending = undefined;
            this.#forgetIfUnmapped();
            reject(
              error instanceof RequestFailure
                ? error.toException('GPUBuffer.mapAsync: the buffer cannot be mapped so; its validation error says why')
                : abortError('GPUBuffer.mapAsync: the device is lost'),
            );
          },
        );
    });
  }

  #mapped(mode: number, offset: number, size: number, reply: VesperMapReplyValue): void {
    const contents =
      mode === GPUMapMode.READ ? (reply.data as Uint8Array | undefined) : this.#shadow?.subarray(offset, offset + size);
    this.#map({ mode, offset, size, contents, whole: undefined, ranges: [] });
  }

  override getMappedRange(offset: number, size: number | undefined): ArrayBuffer {
    const mapping = this.#mapping;
    const length = size ?? Math.max(0, this.#size - offset);
    const fail = (what: string): never => {
      throw operationError(`GPUBuffer.getMappedRange: ${what}`);
    };
    if (mapping === undefined) return fail('the buffer is not mapped');
    if (offset % 8 !== 0) fail(`offset ${offset} is not a multiple of 8`);
    if (length % 4 !== 0) fail(`size ${length} is not a multiple of 4`);
    if (offset < mapping.offset || offset + length > mapping.offset + mapping.size) {
      fail(
        `[${offset}, ${offset + length}) is not within the mapped range [${mapping.offset}, ${mapping.offset + mapping.size})`,
      );
    }
    if (mapping.ranges.some((range) => offset < range.offset + range.size && range.offset < offset + length)) {
      fail(`[${offset}, ${offset + length}) overlaps a range that was given out already`);
    }
    const buffer = rangeMemory(mapping, offset - mapping.offset, length);
    mapping.ranges.push({ offset, size: length, buffer });
    return buffer;
  }

  override unmap(): void {
    const mapping = this.#mapping;
    if (mapping === undefined && this.#pending === undefined) return;
    this.#abort('GPUBuffer.unmap was called');
    if (mapping?.mode === GPUMapMode.WRITE) this.#unmapWritten(mapping);
    else encodeBufferUnmap(this.stream.writer, this.id, []);
    this.#unmapLocally();
  }

  #unmapWritten(mapping: Mapping): void {
    const { writer } = this.stream;
    const writes = this.#writes(mapping);
    const refused = (why: string): void => {
      encodeBufferUnmap(writer, this.id, []);
      encodeStreamInjectError(writer, this.#device.id, 'out-of-memory', `GPUBuffer.unmap: ${why}`);
    };
    orWhereTooLarge(
      () => encodeBufferUnmap(writer, this.id, writes),
      (why) => {
        // As one write, the bytes go beside the record, where more is taken.
        if (writes.length === 1) return refused(why);
        const whole = [joined(writes, mapping)];
        orWhereTooLarge(() => encodeBufferUnmap(writer, this.id, whole), refused);
      },
    );
  }

  /** The ranges that the program may have written to; their bytes are kept where they can be mapped again. */
  #writes(mapping: Mapping): VesperMappedWriteValue[] {
    const writes: VesperMappedWriteValue[] = [];
    for (const { offset, buffer } of mapping.ranges) {
      // One that the program transferred away, or an empty one, has nothing to write.
      if (buffer.byteLength === 0) continue;
      const data = new Uint8Array(buffer);
      writes.push({ offset, data });
      if (this.#usage & GPUBufferUsage.MAP_WRITE) {
        this.#shadow ??= new Uint8Array(this.#size);
        this.#shadow.set(data, offset);
      }
    }
    return writes.length > MAX_WRITES ? [joined(writes, mapping)] : writes;
  }

  override destroy(): void {
    this.abandonMapping('the buffer was destroyed');
    encodeBufferDestroy(this.stream.writer, this.id);
  }

  /** Ends a mapping without writing it back: the buffer or its device is no more. */
  abandonMapping(why: string): void {
    this.#abort(why);
    this.#unmapLocally();
  }

  #abort(why: string): void {
    this.#pending?.reject(abortError(`GPUBuffer.mapAsync: ${why}`));
    this.#pending = undefined;
  }

  #unmapLocally(): void {
    for (const { buffer } of this.#mapping?.ranges ?? []) this.#device.connection.detach(buffer);
    this.#mapping = undefined;
    this.#forgetIfUnmapped();
  }

  #forgetIfUnmapped(): void {
    if (this.#mapping === undefined && this.#pending === undefined) this.#device.mappedBuffers.delete(this);
  }
}

/** One write for many: what lies between them is written as it was. */
function joined(
  writes: readonly VesperMappedWriteValue[],
  { offset: mapped, contents }: Mapping,
): VesperMappedWriteValue {
  let start = Infinity;
  let end = 0;
  for (const { offset, data } of writes) {
    start = Math.min(start, offset);
    end = Math.max(end, offset + data.byteLength);
  }
  const whole = new Uint8Array(end - start);
  if (contents !== undefined) whole.set(contents.subarray(start - mapped, end - mapped));
  for (const { offset, data } of writes) whole.set(bytesOf(data), offset - start);
  return { offset: start, data: whole };
}

/** An ArrayBuffer of exactly the range's size, with its contents. */
function rangeMemory(mapping: Mapping, start: number, size: number): ArrayBuffer {
  const { whole, contents } = mapping;
  if (whole !== undefined && size === whole.byteLength) return whole;
  if (contents === undefined) return new ArrayBuffer(size);
  const isWhole = start === 0 && size === contents.buffer.byteLength && mapping.mode === GPUMapMode.READ;
  return isWhole ? (contents.buffer as ArrayBuffer) : (contents.slice(start, start + size).buffer as ArrayBuffer);
}
