// Brings a texture's pixels back from the GPU.

/** copyTextureToBuffer wants every row to start at a multiple of this many bytes. */
const ROW_ALIGNMENT = 256;

/** Reads one rgba8unorm texture many times through one staging buffer. */
export class Readback {
  /**
   * @param {GPUDevice} device
   * @param {GPUTexture} texture rgba8unorm, usable as COPY_SRC
   */
  constructor(device, texture) {
    this.texture = texture;
    this.rowBytes = texture.width * 4;
    this.paddedRowBytes = Math.ceil(this.rowBytes / ROW_ALIGNMENT) * ROW_ALIGNMENT;
    this.staging = device.createBuffer({
      label: 'picture readback',
      size: this.paddedRowBytes * texture.height,
      usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ,
    });
  }

  /**
   * Records the copy behind the commands that draw the picture.
   * @param {GPUCommandEncoder} encoder
   */
  record(encoder) {
    const { texture, staging, paddedRowBytes } = this;
    encoder.copyTextureToBuffer(
      { texture },
      { buffer: staging, bytesPerRow: paddedRowBytes },
      { width: texture.width, height: texture.height },
    );
  }

  /**
   * Waits for the submitted copy.
   * @returns {Promise<Uint8Array<ArrayBuffer>>} rgba rows without padding
   */
  async read() {
    await this.staging.mapAsync(GPUMapMode.READ);
    const padded = new Uint8Array(this.staging.getMappedRange());
    const pixels = new Uint8Array(this.rowBytes * this.texture.height);
    for (let row = 0; row < this.texture.height; row++) {
      const start = row * this.paddedRowBytes;
      pixels.set(padded.subarray(start, start + this.rowBytes), row * this.rowBytes);
    }
    this.staging.unmap();
    return pixels;
  }

  destroy() {
    this.staging.destroy();
  }
}
