/** Detaches an ArrayBuffer: its length becomes 0, and that of its views. */
export function detach(buffer: ArrayBuffer): void {
  if (buffer.byteLength === 0) return;
  if ('transfer' in buffer) (buffer.transfer as (length: number) => ArrayBuffer)(0);
  else structuredClone(buffer, { transfer: [buffer] });
}
