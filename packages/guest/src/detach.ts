/** Detaches an ArrayBuffer: its length becomes 0, and that of its views. @returns its memory, which is nobody's then */
export function detach(buffer: ArrayBuffer): ArrayBuffer {
  if (buffer.byteLength === 0) return buffer;
  return 'transfer' in buffer
    ? (buffer.transfer as () => ArrayBuffer)()
    : structuredClone(buffer, { transfer: [buffer] });
}
