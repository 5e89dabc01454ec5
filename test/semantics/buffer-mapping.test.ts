import { describe, expect, it } from 'vitest';
import { errorOf, expectNoError, expectValidationError, rejectionName, thrownName } from './fixture/errors.ts';
import { useGuest } from './fixture/guest.ts';
import { microtask } from './fixture/microtask.ts';
import { readBuffer, readWords } from './fixture/readback.ts';

// client-semantics.md, section 3.

const guest = useGuest();

const readable = (size = 64): GPUBuffer =>
  guest.device.createBuffer({ size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
const writable = (size = 64): GPUBuffer =>
  guest.device.createBuffer({ size, usage: GPUBufferUsage.MAP_WRITE | GPUBufferUsage.COPY_SRC });

describe('mapState', () => {
  it('goes from unmapped by pending to mapped and back', async () => {
    const buffer = readable();
    expect(buffer.mapState).toBe('unmapped');
    const mapping = buffer.mapAsync(GPUMapMode.READ);
    expect(buffer.mapState).toBe('pending');
    await mapping;
    expect(buffer.mapState).toBe('mapped');
    buffer.unmap();
    expect(buffer.mapState).toBe('unmapped');
    buffer.destroy();
    expect(buffer.mapState).toBe('unmapped');
  });

  it('is pending after an invalid mapAsync too, and unmapped after its rejection', async () => {
    const { device } = guest;
    const buffer = readable();
    device.pushErrorScope('validation');
    const mapping = buffer.mapAsync(GPUMapMode.WRITE);
    const error = device.popErrorScope();
    expect(buffer.mapState).toBe('pending');
    expect(await rejectionName(() => mapping)).toBe('OperationError');
    expect(buffer.mapState).toBe('unmapped');
    expect(await error).toBeInstanceOf(GPUValidationError);
  });

  it('is mapped from creation with mappedAtCreation, even of an invalid buffer, whose ranges are memory all the same', async () => {
    const { device } = guest;
    let buffer!: GPUBuffer;
    await expectValidationError(device, () => {
      buffer = device.createBuffer({ size: 16, usage: 0xffff_ffff, mappedAtCreation: true });
    });
    expect(buffer.mapState).toBe('mapped');
    const range = buffer.getMappedRange();
    new Uint32Array(range).fill(7);
    await expectNoError(device, () => buffer.unmap());
    expect(range.byteLength).toBe(0);
    expect(buffer.mapState).toBe('unmapped');
  });

  it('is mapped from creation of a buffer that is larger than the device allows', async () => {
    const { device } = guest;
    let buffer!: GPUBuffer;
    await expectValidationError(device, () => {
      buffer = device.createBuffer({
        size: device.limits.maxBufferSize + 4,
        usage: GPUBufferUsage.COPY_DST,
        mappedAtCreation: true,
      });
    });
    expect(buffer.mapState).toBe('mapped');
    new Uint32Array(buffer.getMappedRange(16, 4)).set([1]);
    await expectNoError(device, () => buffer.unmap());
  });

  it('stays mapped when a mapped buffer is mapped again', async () => {
    const { device } = guest;
    const buffer = readable();
    await buffer.mapAsync(GPUMapMode.READ);
    device.pushErrorScope('validation');
    const again = buffer.mapAsync(GPUMapMode.READ);
    const error = device.popErrorScope();
    expect(buffer.mapState).toBe('mapped');
    expect(await rejectionName(() => again)).toBe('OperationError');
    expect(await error).toBeInstanceOf(GPUValidationError);
    expect(buffer.mapState).toBe('mapped');
    expect(buffer.getMappedRange().byteLength).toBe(64);
    buffer.unmap();
  });
});

describe('mapAsync', () => {
  it('reports what is wrong to the scope open at the call, and rejects after it', async () => {
    const { device } = guest;
    const destroyed = readable();
    destroyed.destroy();
    let invalid!: GPUBuffer;
    await expectValidationError(device, () => {
      invalid = device.createBuffer({ size: 16, usage: 0 });
    });
    const cases: [string, GPUBuffer, number, number?, number?][] = [
      ['usage', writable(), GPUMapMode.READ],
      ['no mode', readable(), 0],
      ['both modes', readable(), 3],
      ['unknown mode', readable(), 8],
      ['offset alignment', readable(), GPUMapMode.READ, 4],
      ['size alignment', readable(), GPUMapMode.READ, 0, 2],
      ['bounds', readable(), GPUMapMode.READ, 64, 4],
      ['offset behind the end', readable(), GPUMapMode.READ, 72],
      ['huge offset', readable(), GPUMapMode.READ, 2 ** 53 - 8],
      ['huge size', readable(), GPUMapMode.READ, 8, 2 ** 53 - 8],
      ['destroyed', destroyed, GPUMapMode.READ],
      ['invalid', invalid, GPUMapMode.READ],
    ];
    for (const [name, buffer, mode, offset, size] of cases) {
      device.pushErrorScope('validation');
      const mapping = buffer.mapAsync(mode, offset, size);
      let settled = false;
      mapping.catch(() => (settled = true));
      await microtask();
      expect(settled, `${name}: not early`).toBe(false);
      const error = device.popErrorScope();
      expect(await rejectionName(() => mapping), name).toBe('OperationError');
      expect(await error, name).toBeInstanceOf(GPUValidationError);
    }
  });

  it('rejects at once while a map is pending, without an error of validation, and does not disturb the first', async () => {
    const { device } = guest;
    const buffer = readable();
    const first = buffer.mapAsync(GPUMapMode.READ);
    device.pushErrorScope('validation');
    let second: unknown;
    buffer.mapAsync(GPUMapMode.READ).catch((error: unknown) => (second = error));
    await microtask();
    expect(second).toBeInstanceOf(DOMException);
    expect((second as DOMException).name).toBe('OperationError');
    const error = device.popErrorScope();
    await first;
    expect(await error).toBeNull();
    expect(buffer.mapState).toBe('mapped');
    buffer.unmap();
  });

  it('is aborted by unmap and destroy at once, and can be called again', async () => {
    for (const end of ['unmap', 'destroy'] as const) {
      const buffer = readable();
      const mapping = buffer.mapAsync(GPUMapMode.READ);
      buffer[end]();
      expect(buffer.mapState).toBe('unmapped');
      let error: unknown;
      mapping.catch((failure: unknown) => (error = failure));
      await microtask();
      await microtask();
      expect((error as DOMException | undefined)?.name).toBe('AbortError');
    }
    const buffer = readable();
    const first = buffer.mapAsync(GPUMapMode.READ);
    buffer.unmap();
    const second = buffer.mapAsync(GPUMapMode.READ, 8, 8);
    expect(await rejectionName(() => first)).toBe('AbortError');
    await second;
    expect(buffer.mapState).toBe('mapped');
    // The first map's range, had it come, would be the whole.
    expect(thrownName(() => buffer.getMappedRange(0, 8))).toBe('OperationError');
    expect(buffer.getMappedRange(8, 8).byteLength).toBe(8);
    buffer.unmap();
  });

  it('aborted before its error is known rejects with AbortError, and the error is reported all the same', async () => {
    const { device } = guest;
    const buffer = readable();
    device.pushErrorScope('validation');
    const mapping = buffer.mapAsync(GPUMapMode.WRITE);
    const error = device.popErrorScope();
    buffer.unmap();
    expect(await rejectionName(() => mapping)).toBe('AbortError');
    expect(await error).toBeInstanceOf(GPUValidationError);
    await expectNoError(device, () => {});
  });

  it('and unmap in turn, many times, keep in step', async () => {
    const buffer = writable(16);
    const results: Promise<string | undefined>[] = [];
    for (let i = 0; i < 20; i++) {
      results.push(rejectionName(() => buffer.mapAsync(GPUMapMode.WRITE)));
      if (i < 19) buffer.unmap();
    }
    expect(await Promise.all(results)).toEqual([...Array<string>(19).fill('AbortError'), undefined]);
    expect(buffer.mapState).toBe('mapped');
    buffer.destroy();
  });
});

describe('getMappedRange', () => {
  it('throws OperationError for what is not mapped, unaligned or out of range', async () => {
    const buffer = readable();
    expect(thrownName(() => buffer.getMappedRange())).toBe('OperationError');
    const mapping = buffer.mapAsync(GPUMapMode.READ, 16, 32);
    expect(thrownName(() => buffer.getMappedRange())).toBe('OperationError');
    await mapping;
    for (const [offset, size] of [
      [0, undefined],
      [16, undefined],
      [20, 4],
      [16, 2],
      [8, 8],
      [16, 36],
      [48, 4],
      [56, 0],
      [64, undefined],
      [2 ** 53 - 8, 8],
    ] as const) {
      expect(
        thrownName(() => buffer.getMappedRange(offset, size)),
        `${offset} ${size}`,
      ).toBe('OperationError');
    }
    for (const bad of [-1, NaN, 2 ** 53]) expect(thrownName(() => buffer.getMappedRange(bad))).toBe('TypeError');
    expect(buffer.getMappedRange(48, 0).byteLength).toBe(0);
    expect(buffer.getMappedRange(16, 32).byteLength).toBe(32);
    buffer.unmap();
    expect(thrownName(() => buffer.getMappedRange(16, 32))).toBe('OperationError');
  });

  it('gives ArrayBuffers of exactly the size, none of which overlap', () => {
    const buffer = guest.device.createBuffer({ size: 64, usage: GPUBufferUsage.COPY_SRC, mappedAtCreation: true });
    const middle = buffer.getMappedRange(16, 16);
    expect(middle).toBeInstanceOf(ArrayBuffer);
    expect(middle.byteLength).toBe(16);
    for (const [offset, size] of [
      [16, 16],
      [8, 12],
      [24, 0],
      [24, 40],
      [0, 64],
    ] as const)
      expect(
        thrownName(() => buffer.getMappedRange(offset, size)),
        `${offset} ${size}`,
      ).toBe('OperationError');
    for (const [offset, size] of [
      [16, 0],
      [32, 0],
      [8, 8],
      [32, 32],
      [0, 4],
    ] as const)
      expect(buffer.getMappedRange(offset, size).byteLength, `${offset} ${size}`).toBe(size);
    buffer.unmap();
  });

  it('gives hundreds of ranges of one map', async () => {
    const buffer = guest.device.createBuffer({ size: 8 * 512, usage: GPUBufferUsage.COPY_SRC, mappedAtCreation: true });
    for (let i = 0; i < 512; i++) new Uint32Array(buffer.getMappedRange(i * 8, 8)).set([i, ~i >>> 0]);
    buffer.unmap();
    const words = await readWords(guest.device, buffer);
    expect(words.every((word, i) => word === (i % 2 === 0 ? i / 2 : ~((i - 1) / 2) >>> 0))).toBe(true);
  });

  it('and mapping take sizes of zero', async () => {
    const { device } = guest;
    const empty = device.createBuffer({ size: 0, usage: GPUBufferUsage.MAP_READ, mappedAtCreation: true });
    expect(empty.getMappedRange().byteLength).toBe(0);
    empty.unmap();
    await empty.mapAsync(GPUMapMode.READ);
    expect(empty.getMappedRange(0, 0).byteLength).toBe(0);
    empty.unmap();
    const buffer = readable();
    await buffer.mapAsync(GPUMapMode.READ, 64, 0);
    expect(buffer.getMappedRange(64, 0).byteLength).toBe(0);
    expect(buffer.getMappedRange(64).byteLength).toBe(0);
    buffer.unmap();
  });
});

describe('detaching', () => {
  const detached = async (end: (buffer: GPUBuffer) => void, buffer: GPUBuffer): Promise<void> => {
    if (buffer.mapState === 'unmapped')
      await buffer.mapAsync(buffer.usage & GPUBufferUsage.MAP_READ ? GPUMapMode.READ : GPUMapMode.WRITE);
    const ranges = [buffer.getMappedRange(0, 16), buffer.getMappedRange(16, 16), buffer.getMappedRange(32, 0)];
    const view = new Uint8Array(ranges[0]!);
    end(buffer);
    expect(ranges.map((range) => range.byteLength)).toEqual([0, 0, 0]);
    expect(view.length).toBe(0);
    expect(buffer.mapState).toBe('unmapped');
  };

  it('is done by unmap and by destroy to every range', async () => {
    for (const end of ['unmap', 'destroy'] as const) {
      await detached((buffer) => buffer[end](), readable());
      await detached((buffer) => buffer[end](), writable());
      await detached(
        (buffer) => buffer[end](),
        guest.device.createBuffer({ size: 64, usage: GPUBufferUsage.COPY_SRC, mappedAtCreation: true }),
      );
    }
  });

  it('leaves an ArrayBuffer that cannot be transferred, as any detached one', () => {
    const { device } = guest;
    const buffer = device.createBuffer({ size: 16, usage: GPUBufferUsage.COPY_SRC, mappedAtCreation: true });
    const range = buffer.getMappedRange();
    buffer.unmap();
    expect(() => structuredClone(range, { transfer: [range] })).toThrow(
      expect.objectContaining({ name: 'DataCloneError' }),
    );
  });

  it('is done by device.destroy, which Dawn for Node forgets', async () => {
    const device = await guest.newDevice();
    const mapped = device.createBuffer({ size: 64, usage: GPUBufferUsage.MAP_READ });
    const atCreation = device.createBuffer({ size: 64, usage: GPUBufferUsage.COPY_SRC, mappedAtCreation: true });
    const pending = device.createBuffer({ size: 64, usage: GPUBufferUsage.MAP_READ });
    await mapped.mapAsync(GPUMapMode.READ);
    const ranges = [mapped.getMappedRange(), atCreation.getMappedRange()];
    const mapping = pending.mapAsync(GPUMapMode.READ);
    device.destroy();
    expect(ranges.map((range) => range.byteLength)).toEqual([0, 0]);
    expect([mapped.mapState, atCreation.mapState, pending.mapState]).toEqual(['unmapped', 'unmapped', 'unmapped']);
    expect(await rejectionName(() => mapping)).toBe('AbortError');
  });
});

describe('a range that the program gives away', () => {
  // WebGPU does not let a mapped ArrayBuffer be transferred; JavaScript has no way to forbid it. See README.md.
  it('is gone for it, and for unmap, which writes the others', async () => {
    const { device } = guest;
    const buffer = device.createBuffer({ size: 16, usage: GPUBufferUsage.COPY_SRC, mappedAtCreation: true });
    const [one, two] = [buffer.getMappedRange(0, 8), buffer.getMappedRange(8, 8)];
    new Uint32Array(two).set([5, 6]);
    structuredClone(one, { transfer: [one] });
    await expectNoError(device, () => buffer.unmap());
    expect(await readWords(device, buffer)).toEqual([0, 0, 5, 6]);
  });
});

describe('unmap and destroy', () => {
  it('are legal in every state, any number of times', async () => {
    const { device } = guest;
    const buffer = readable();
    await expectNoError(device, () => {
      buffer.unmap();
      buffer.unmap();
      buffer.destroy();
      buffer.destroy();
      buffer.unmap();
      const fresh = device.createBuffer({ size: 4, usage: GPUBufferUsage.COPY_DST, mappedAtCreation: true });
      fresh.destroy();
      fresh.unmap();
    });
    let invalid!: GPUBuffer;
    await expectValidationError(device, () => (invalid = device.createBuffer({ size: 4, usage: 0 })));
    await expectNoError(device, () => {
      invalid.unmap();
      invalid.destroy();
    });
  });
});

describe('contents', () => {
  it('of a fresh buffer are zeros', async () => {
    for (const buffer of [readable(), writable()]) {
      await buffer.mapAsync(buffer.usage & GPUBufferUsage.MAP_READ ? GPUMapMode.READ : GPUMapMode.WRITE);
      expect(new Uint8Array(buffer.getMappedRange()).every((byte) => byte === 0)).toBe(true);
      buffer.unmap();
    }
  });

  it('written at creation, whole or in part, are what the GPU sees', async () => {
    const { device } = guest;
    const buffer = device.createBuffer({ size: 32, usage: GPUBufferUsage.COPY_SRC, mappedAtCreation: true });
    new Uint32Array(buffer.getMappedRange(8, 8)).set([1, 2]);
    new Uint32Array(buffer.getMappedRange(24)).set([3, 4]);
    buffer.unmap();
    expect(await readWords(device, buffer)).toEqual([0, 0, 1, 2, 0, 0, 3, 4]);
    const whole = device.createBuffer({ size: 16, usage: GPUBufferUsage.COPY_SRC, mappedAtCreation: true });
    new Uint32Array(whole.getMappedRange()).set([5, 6, 7, 8]);
    whole.unmap();
    expect(await readWords(device, whole)).toEqual([5, 6, 7, 8]);
  });

  it('that no range was asked of are not changed', async () => {
    const { device } = guest;
    const buffer = writable(16);
    await buffer.mapAsync(GPUMapMode.WRITE);
    new Uint32Array(buffer.getMappedRange()).set([1, 2, 3, 4]);
    buffer.unmap();
    await buffer.mapAsync(GPUMapMode.WRITE, 8, 8);
    new Uint32Array(buffer.getMappedRange(8, 4)).set([30]);
    buffer.unmap();
    await buffer.mapAsync(GPUMapMode.WRITE);
    buffer.unmap();
    expect(await readWords(device, buffer)).toEqual([1, 2, 30, 4]);
  });

  it('of a buffer mapped for writing again are those that were written', async () => {
    const buffer = guest.device.createBuffer({
      size: 16,
      usage: GPUBufferUsage.MAP_WRITE | GPUBufferUsage.COPY_SRC,
      mappedAtCreation: true,
    });
    new Uint32Array(buffer.getMappedRange()).set([1, 2, 3, 4]);
    buffer.unmap();
    await buffer.mapAsync(GPUMapMode.WRITE);
    const words = new Uint32Array(buffer.getMappedRange());
    expect([...words]).toEqual([1, 2, 3, 4]);
    words[1] = 20;
    buffer.unmap();
    await buffer.mapAsync(GPUMapMode.WRITE, 0, 8);
    expect([...new Uint32Array(buffer.getMappedRange(0, 8))]).toEqual([1, 20]);
    buffer.unmap();
    expect(await readWords(guest.device, buffer)).toEqual([1, 20, 3, 4]);
  });

  it('read are those of the range; what is written into them is dropped', async () => {
    const { device } = guest;
    const buffer = readable(32);
    device.queue.writeBuffer(buffer, 0, new Uint32Array([1, 2, 3, 4, 5, 6, 7, 8]));
    await buffer.mapAsync(GPUMapMode.READ, 8, 16);
    const range = new Uint32Array(buffer.getMappedRange(16, 8));
    expect([...range]).toEqual([5, 6]);
    range.fill(99);
    expect([...new Uint32Array(buffer.getMappedRange(8, 8))]).toEqual([3, 4]);
    buffer.unmap();
    await buffer.mapAsync(GPUMapMode.READ);
    expect([...new Uint32Array(buffer.getMappedRange())]).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    buffer.unmap();
  });

  it('of many ranges are written back, and what lies between them is as it was', async () => {
    const { device } = guest;
    const buffer = writable(16 * 20 + 8);
    const expected = new Uint32Array(82).fill(7);
    await buffer.mapAsync(GPUMapMode.WRITE);
    new Uint32Array(buffer.getMappedRange()).set(expected);
    buffer.unmap();
    // Without the first and the last word pairs, with a gap behind each range.
    await buffer.mapAsync(GPUMapMode.WRITE, 8, 16 * 20 - 8);
    for (let i = 0; i < 19; i++) {
      const words = new Uint32Array(buffer.getMappedRange(16 * (i + 1), 8));
      expect([...words]).toEqual([7, 7]);
      words.set([i, 100 + i]);
      expected.set([i, 100 + i], 4 * (i + 1));
    }
    buffer.unmap();
    expect(await readWords(device, buffer)).toEqual([...expected]);
    await buffer.mapAsync(GPUMapMode.WRITE);
    expect([...new Uint32Array(buffer.getMappedRange())]).toEqual([...expected]);
    buffer.unmap();
  });

  it('of many ranges may be more than a frame takes', async () => {
    const { device } = guest;
    const size = 1 << 20;
    const count = 17;
    const buffer = device.createBuffer({ size: count * size, usage: GPUBufferUsage.COPY_SRC, mappedAtCreation: true });
    for (let i = 0; i < count; i++) new Uint8Array(buffer.getMappedRange(i * size, size)).fill(i + 1);
    buffer.unmap();
    const bytes = new Uint8Array(await readBuffer(device, buffer));
    const edges = Array.from({ length: count }, (_, i) => [bytes[i * size], bytes[(i + 1) * size - 1]]);
    expect(edges).toEqual(Array.from({ length: count }, (_, i) => [i + 1, i + 1]));
  });

  it('of several megabytes come and go whole', async () => {
    const { device } = guest;
    const size = 5 << 20;
    const source = device.createBuffer({ size, usage: GPUBufferUsage.COPY_SRC, mappedAtCreation: true });
    new Uint32Array(source.getMappedRange()).forEach((_, index, words) => (words[index] = index ^ 0xabcd));
    source.unmap();
    const words = await readWords(device, source);
    expect(words.length).toBe(size / 4);
    expect(words.every((word, index) => word === (index ^ 0xabcd))).toBe(true);
  });
});

describe('order', () => {
  it('of maps against submits and writes is that of the calls', async () => {
    const { device } = guest;
    const buffer = readable(16);
    const source = device.createBuffer({ size: 16, usage: GPUBufferUsage.COPY_SRC });
    const copy = (): GPUCommandBuffer => {
      const encoder = device.createCommandEncoder();
      encoder.copyBufferToBuffer(source, buffer);
      return encoder.finish();
    };
    // Recording and finishing are fine while mapped; only the submit is not.
    const before = copy();
    const mapping = buffer.mapAsync(GPUMapMode.READ);
    const during = copy();
    expect(await errorOf(device, () => device.queue.submit([before]))).toBeInstanceOf(GPUValidationError);
    await expectValidationError(device, () => device.queue.writeBuffer(buffer, 0, new Uint32Array(4)));
    await mapping;
    const third = copy();
    await expectValidationError(device, () => device.queue.submit([third]));
    buffer.unmap();
    await expectNoError(device, () => device.queue.submit([during]));
  });
});
