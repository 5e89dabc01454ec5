// The little of a browser that engines ask for before they draw. Imported first, since some ask while they load.
// WebGPU is not stubbed: the canvas context below hands out an ordinary texture of the engine's own device.
const nothing = () => {};
globalThis.self ??= globalThis;
globalThis.window ??= globalThis;
globalThis.addEventListener ??= nothing;
globalThis.removeEventListener ??= nothing;
globalThis.requestAnimationFrame ??= (callback) => setTimeout(() => callback(performance.now()), 1);
globalThis.cancelAnimationFrame ??= (id) => clearTimeout(id);
globalThis.document ??= {
  readyState: 'complete',
  hidden: false,
  createElement: () => canvas(1, 1),
  addEventListener: nothing,
  removeEventListener: nothing,
};

/** A canvas: a size, listeners that are never called, and a WebGPU context over one texture that can be read back. */
export function canvas(width, height) {
  const element = { width, height, clientWidth: width, clientHeight: height, style: {}, focus: nothing };
  let configuration;
  let texture;
  const context = {
    canvas: element,
    configure(next) {
      configuration = next;
      texture = undefined;
    },
    unconfigure: nothing,
    getConfiguration: () => configuration,
    getCurrentTexture() {
      const { device, format, viewFormats = [], usage = GPUTextureUsage.RENDER_ATTACHMENT } = configuration;
      texture ??= device.createTexture({
        size: [element.width, element.height],
        format,
        viewFormats,
        usage: usage | GPUTextureUsage.COPY_SRC,
      });
      return texture;
    },
  };
  return Object.assign(element, {
    addEventListener: nothing,
    removeEventListener: nothing,
    setAttribute: nothing,
    remove: nothing,
    getBoundingClientRect: () => ({ x: 0, y: 0, left: 0, top: 0, right: width, bottom: height, width, height }),
    getContext: (kind) => (kind === 'webgpu' ? context : null),
  });
}
