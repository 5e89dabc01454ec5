import { InterfaceNumber, type api } from '@vesper-gpu/protocol/host';

/**
 * Makes real objects of the backend that are invalid, for ids whose creation the backend refused by an exception.
 * Whatever the guest does with them fails as WebGPU says (contagious invalidity), with no special case anywhere else.
 * https://www.w3.org/TR/webgpu/#invalidity
 */
export class InvalidObjects {
  readonly #device: api.GPUDevice;
  #invalidLayout: api.GPUPipelineLayout | undefined;

  constructor(device: api.GPUDevice) {
    this.#device = device;
  }

  /**
   * @param type the interface number of the wanted object.
   * @param parent what it would have been made by; passes and bundles belong to it.
   */
  make(type: number, parent: object): object {
    return this.#quietly(() => this.#make(type, parent));
  }

  /**
   * Throws what the backend throws for a descriptor of a compute or a render pipeline that it cannot convert. Nothing is
   * compiled: the layout that it is given is an invalid one.
   */
  checkConversion(type: number, descriptor: api.GPUComputePipelineDescriptor | api.GPURenderPipelineDescriptor): void {
    this.#invalidLayout ??= this.make(InterfaceNumber.GPUPipelineLayout, this.#device) as api.GPUPipelineLayout;
    const checked = { ...descriptor, layout: this.#invalidLayout };
    this.#quietly(() =>
      type === InterfaceNumber.GPUComputePipeline
        ? this.#device.createComputePipeline(checked as api.GPUComputePipelineDescriptor)
        : this.#device.createRenderPipeline(checked as api.GPURenderPipelineDescriptor),
    );
  }

  /** The errors of making something invalid are nobody's: they end in a scope of their own. */
  #quietly<T>(make: () => T): T {
    this.#device.pushErrorScope('validation');
    try {
      return make();
    } finally {
      this.#device.popErrorScope().catch(() => {});
    }
  }

  #make(type: number, parent: object): object {
    const device = this.#device;
    switch (type) {
      case InterfaceNumber.GPUBuffer:
        return this.#buffer();
      case InterfaceNumber.GPUTexture:
        return this.#texture();
      case InterfaceNumber.GPUTextureView:
        return this.#texture().createView();
      case InterfaceNumber.GPUSampler:
        return device.createSampler({ maxAnisotropy: 0 });
      case InterfaceNumber.GPUBindGroupLayout:
        return this.#bindGroupLayout();
      case InterfaceNumber.GPUPipelineLayout:
        return device.createPipelineLayout({ bindGroupLayouts: [this.#bindGroupLayout()] });
      case InterfaceNumber.GPUBindGroup:
        return device.createBindGroup({ layout: this.#bindGroupLayout(), entries: [] });
      case InterfaceNumber.GPUShaderModule:
        return this.#shaderModule();
      case InterfaceNumber.GPUComputePipeline:
        return device.createComputePipeline({ layout: 'auto', compute: { module: this.#shaderModule() } });
      case InterfaceNumber.GPURenderPipeline:
        return device.createRenderPipeline({ layout: 'auto', vertex: { module: this.#shaderModule() } });
      case InterfaceNumber.GPUCommandEncoder:
        return this.#commandEncoder();
      case InterfaceNumber.GPUCommandBuffer:
        return this.#commandEncoder().finish();
      case InterfaceNumber.GPURenderPassEncoder:
        return (parent as api.GPUCommandEncoder).beginRenderPass({ colorAttachments: [] });
      case InterfaceNumber.GPUComputePassEncoder:
        return (parent as api.GPUCommandEncoder).beginComputePass({ timestampWrites: { querySet: this.#querySet() } });
      case InterfaceNumber.GPURenderBundleEncoder:
        return device.createRenderBundleEncoder({ colorFormats: [] });
      case InterfaceNumber.GPURenderBundle:
        return device.createRenderBundleEncoder({ colorFormats: [] }).finish();
      case InterfaceNumber.GPUQuerySet:
        return this.#querySet();
      default:
        throw new Error(`there is no invalid object of interface ${type}`);
    }
  }

  #buffer(): api.GPUBuffer {
    return this.#device.createBuffer({ size: 4, usage: 0 });
  }

  #texture(): api.GPUTexture {
    return this.#device.createTexture({ size: [1, 1, 1], format: 'rgba8unorm', usage: 0 });
  }

  #bindGroupLayout(): api.GPUBindGroupLayout {
    const twice = { binding: 0, visibility: 0, sampler: {} };
    return this.#device.createBindGroupLayout({ entries: [twice, twice] });
  }

  #shaderModule(): api.GPUShaderModule {
    return this.#device.createShaderModule({ code: '!' });
  }

  #querySet(): api.GPUQuerySet {
    return this.#device.createQuerySet({ type: 'occlusion', count: 0xffff_ffff });
  }

  #commandEncoder(): api.GPUCommandEncoder {
    const encoder = this.#device.createCommandEncoder();
    this.poison(encoder);
    return encoder;
  }

  /** Makes an encoder invalid, as a command with bad arguments does: its error is reported by `finish`. */
  poison(encoder: object): void {
    this.#quietly(() => {
      if ('clearBuffer' in encoder) (encoder as api.GPUCommandEncoder).clearBuffer(this.#buffer());
      else (encoder as api.GPURenderPassEncoder).setBindGroup(0xffff_ffff, null);
    });
  }
}
