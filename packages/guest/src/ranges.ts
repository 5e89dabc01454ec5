import { bytesOf, type ByteSource } from '@vesper-gpu/wire';

/**
 * The bytes that `dataOffset` and `size` name: in elements of a typed array, in bytes of anything else.
 * https://www.w3.org/TR/webgpu/#dom-gpuqueue-writebuffer
 * @param error makes the exception for a range that is not in the data, or not a multiple of 4 bytes.
 */
export function byteRange(
  data: ByteSource,
  dataOffset: number,
  size: number | undefined,
  error: (what: string) => Error,
): Uint8Array {
  const bytes = bytesOf(data);
  // Of a Uint8Array they are the same, but V8 makes a call of `byteLength`, 10 ns each time.
  const byteLength = bytes.length;
  // A Uint8Array is its own bytes; asking each view for the size of its elements costs more than this question.
  const elementBytes = bytes === data ? 1 : elementBytesOf(data);
  const start = dataOffset * elementBytes;
  if (start > byteLength) throw error(`data offset ${dataOffset} is behind the end of the data`);
  const length = size === undefined ? byteLength - start : size * elementBytes;
  if (start + length > byteLength)
    throw error(`size ${size} at offset ${dataOffset} reaches behind the end of the data`);
  if (length % 4 !== 0) throw error(`${length} bytes are not a multiple of 4`);
  return start === 0 && length === byteLength ? bytes : bytes.subarray(start, start + length);
}

function elementBytesOf(data: ByteSource): number {
  return ArrayBuffer.isView(data) && 'BYTES_PER_ELEMENT' in data ? (data.BYTES_PER_ELEMENT as number) : 1;
}
