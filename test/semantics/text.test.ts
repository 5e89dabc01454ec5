import { describe, expect, it } from 'vitest';
import { errorOf, expectNoError, expectValidationError } from './fixture/errors.ts';
import { useGuest } from './fixture/guest.ts';

// client-semantics.md, section 7: labels, reflection, text.

const guest = useGuest();

describe('labels', () => {
  const labels = ['', 'plain', '\0', 'a\0b', '\0end', '🌞👆', 'ü'.repeat(2000), 'line\r\nbreak'];

  it('are kept as they are, given in descriptors or set', async () => {
    const { device } = guest;
    const make: ((label: string) => { label: string })[] = [
      (label) => device.createBuffer({ label, size: 4, usage: 8 }),
      (label) => device.createTexture({ label, size: [1], format: 'rgba8unorm', usage: 1 }),
      (label) =>
        device
          .createTexture({ size: [1], format: 'rgba8unorm', usage: GPUTextureUsage.TEXTURE_BINDING })
          .createView({ label }),
      (label) => device.createSampler({ label }),
      (label) => device.createBindGroupLayout({ label, entries: [] }),
      (label) => device.createPipelineLayout({ label, bindGroupLayouts: [] }),
      (label) => device.createShaderModule({ label, code: '' }),
      (label) => device.createQuerySet({ label, type: 'occlusion', count: 1 }),
      (label) => device.createCommandEncoder({ label }),
      (label) => device.createCommandEncoder().finish({ label }),
      (label) => device.createCommandEncoder().beginComputePass({ label }),
      (label) => device.createRenderBundleEncoder({ label, colorFormats: ['rgba8unorm'] }),
    ];
    await expectNoError(device, () => {
      for (const one of make) {
        for (const label of labels) {
          const object = one(label);
          expect(object.label).toBe(label);
          object.label = `${label}!`;
          expect(object.label).toBe(`${label}!`);
        }
      }
    });
  });

  it('can be set after destroy and finish, and become strings of scalar values', async () => {
    const { device } = guest;
    const buffer = device.createBuffer({ size: 4, usage: 8 });
    expect(buffer.label).toBe('');
    buffer.destroy();
    const encoder = device.createCommandEncoder();
    encoder.finish();
    for (const object of [buffer, encoder, device, device.queue]) {
      object.label = 'after';
      expect(object.label).toBe('after');
      object.label = undefined as unknown as string;
      expect(object.label).toBe('undefined');
      object.label = 'lone \ud800 and \udc00';
      expect(object.label).toBe('lone \ufffd and \ufffd');
      object.label = '';
    }
    await expectNoError(device, () => {});
  });

  it('are in the messages of errors', async () => {
    const { device } = guest;
    const error = await errorOf(device, () => device.createBuffer({ size: 4, usage: 0, label: 'my buffer ü' }));
    expect(error!.message).toContain('my buffer ü');
    const renamed = device.createTexture({ size: [4], format: 'rgba8unorm', usage: GPUTextureUsage.COPY_DST });
    renamed.label = 'renamed';
    expect((await errorOf(device, () => renamed.createView({ baseMipLevel: 9 })))!.message).toContain('renamed');
  });

  it('of debug groups may be any text', async () => {
    const { device } = guest;
    await expectNoError(device, () => {
      const encoder = device.createCommandEncoder();
      for (const label of labels) {
        encoder.pushDebugGroup(label);
        encoder.insertDebugMarker(label);
        encoder.popDebugGroup();
      }
      encoder.finish();
    });
  });
});

describe('reflection', () => {
  it('of textures shows what was given, and the defaults', async () => {
    const { device } = guest;
    await expectNoError(device, () => {
      const small = device.createTexture({ size: [3], format: 'r8unorm', usage: GPUTextureUsage.COPY_SRC });
      expect(reflected(small)).toEqual({
        width: 3,
        height: 1,
        depthOrArrayLayers: 1,
        mipLevelCount: 1,
        sampleCount: 1,
        dimension: '2d',
        format: 'r8unorm',
        usage: 1,
        textureBindingViewDimension: undefined,
      });
      const volume = device.createTexture({
        size: { width: 4, height: 5, depthOrArrayLayers: 6 },
        dimension: '3d',
        mipLevelCount: 2,
        format: 'rgba16float',
        usage: GPUTextureUsage.COPY_DST,
      });
      expect(reflected(volume)).toMatchObject({
        width: 4,
        height: 5,
        depthOrArrayLayers: 6,
        mipLevelCount: 2,
        dimension: '3d',
        format: 'rgba16float',
        usage: 2,
      });
    });
  });

  it('of textures of a compatibility device shows the dimension of their view', async () => {
    const adapter = (await guest.gpu.requestAdapter({ featureLevel: 'compatibility' }))!;
    const device = await adapter.requestDevice();
    const shown = (descriptor: object): unknown =>
      reflected(device.createTexture({ size: [1, 1, 6], format: 'rgba8unorm', usage: 4, ...descriptor }))[
        'textureBindingViewDimension'
      ];
    const found = [
      shown({}),
      shown({ size: [1] }),
      shown({ dimension: '3d' }),
      shown({ textureBindingViewDimension: 'cube' }),
    ];
    const expected = device.features.has('core-features-and-limits')
      ? Array<undefined>(4).fill(undefined)
      : ['2d-array', '2d', '3d', 'cube'];
    expect(found).toEqual(expected);
    device.destroy();
  });

  it('of invalid objects shows what was given', async () => {
    const { device } = guest;
    await expectValidationError(device, () =>
      expect(
        reflected(device.createTexture({ size: [0, 7], format: 'depth24plus', usage: 0xff00, sampleCount: 3 })),
      ).toMatchObject({ width: 0, height: 7, sampleCount: 3, format: 'depth24plus', usage: 0xff00 }),
    );
    await expectValidationError(device, () => {
      const set = device.createQuerySet({ type: 'occlusion', count: 100_000 });
      expect([set.type, set.count]).toEqual(['occlusion', 100_000]);
    });
    const buffer = device.createBuffer({ size: 12, usage: GPUBufferUsage.MAP_READ });
    buffer.destroy();
    expect([buffer.size, buffer.usage]).toEqual([12, 1]);
  });
});

function reflected(texture: GPUTexture): Record<string, unknown> {
  const { width, height, depthOrArrayLayers, mipLevelCount, sampleCount, dimension, format, usage } = texture;
  return {
    width,
    height,
    depthOrArrayLayers,
    mipLevelCount,
    sampleCount,
    dimension,
    format,
    usage,
    textureBindingViewDimension: Reflect.get(texture, 'textureBindingViewDimension') as unknown,
  };
}

describe('getCompilationInfo', () => {
  it('has no messages for good code', async () => {
    const info = await guest.device
      .createShaderModule({ code: '@compute @workgroup_size(1) fn main() {}' })
      .getCompilationInfo();
    expect(info).toBeInstanceOf(GPUCompilationInfo);
    expect(info.messages).toEqual([]);
    expect(Object.isFrozen(info.messages)).toBe(true);
    expect(info.messages).toBe(info.messages);
  });

  it('has messages with places in UTF-16 code units, also behind emoji and line breaks', async () => {
    const { device } = guest;
    for (const before of ['', '// plain\n', '// 🌞👆 ü\n', '// one\r\n/* 🌞 */\r\n', '/* 🌞🌞 */ ']) {
      const wrong = 'notAType';
      const code = `${before}var<private> x: ${wrong};`;
      let module!: GPUShaderModule;
      await expectValidationError(device, () => (module = device.createShaderModule({ code })));
      const { messages } = await module.getCompilationInfo();
      expect(messages.length).toBeGreaterThan(0);
      const [message] = messages;
      expect(message).toBeInstanceOf(GPUCompilationMessage);
      expect(message!.type).toBe('error');
      expect(message!.message).toContain(wrong);
      const lines = code.split(/\r\n|\n/);
      const line = lines.length;
      const offset = code.indexOf(wrong);
      expect([message!.lineNum, message!.linePos, message!.offset, message!.length], JSON.stringify(before)).toEqual([
        line,
        lines.at(-1)!.indexOf(wrong) + 1,
        offset,
        wrong.length,
      ]);
    }
  });

  it('survives code with NUL, lone surrogates and nothing at all', async () => {
    const { device } = guest;
    for (const [code, isGood] of [
      ['', true],
      ['// \ud800 lone\n@compute @workgroup_size(1) fn main() {}', true],
      ['@compute @workgroup_size(1) fn main() {} \0 const a = 1;', false],
      ['// 🌞', true],
    ] as const) {
      let module!: GPUShaderModule;
      const error = await errorOf(device, () => (module = device.createShaderModule({ code })));
      expect(error === null, JSON.stringify(code)).toBe(isGood);
      expect((await module.getCompilationInfo()).messages.some(({ type }) => type === 'error')).toBe(!isGood);
    }
  });

  it('of code of several megabytes arrives', async () => {
    const { device } = guest;
    const code = `${'// padding\n'.repeat(200_000)}@compute @workgroup_size(1) fn main() {}`;
    await expectNoError(device, () => device.createShaderModule({ code }));
  });
});
