import { describe, expect, it } from 'vitest';
import { withoutAdapter } from './redact-text.ts';

const HIGHER = 'This adapter supports a higher maxBufferSize of 4294967295';
const HINT =
  ', which can be specified in requiredLimits when calling requestDevice(). Limits differ by hardware, so always ' +
  'check the adapter limits prior to requesting a higher limit.';

describe('a message without its adapter', () => {
  it.each([
    [`Too big (2). ${HIGHER}${HINT}\n - While`, 'Too big (2).\n - While'],
    [
      'Exceeds (256, 256, 64). This adapter supports higher maxComputeWorkgroupSizeX of 1024, ' +
        `maxComputeWorkgroupSizeY of 1024, and maxComputeWorkgroupSizeZ of 1024${HINT}`,
      'Exceeds (256, 256, 64).',
    ],
    [
      'Required limit (1125899906842624) is greater than the supported limit (4294967295).',
      'Required limit (1125899906842624) is greater than the supported limit.',
    ],
    [
      'Required limit (2) is lower than the supported limit (16).',
      'Required limit (2) is lower than the supported limit.',
    ],
    [
      'The subgroup_size attribute (2) is not in the allowed range ([4, 32]).',
      'The subgroup_size attribute (2) is not in the allowed range.',
    ],
    [
      'The number of subgroups per workgroup (99) exceeds the maximum (64).',
      'The number of subgroups per workgroup (99) exceeds the maximum.',
    ],
    [
      'The x-dimension of workgroup_size (3) must be a multiple of the device maxSubgroupSize (32) when the shader',
      'The x-dimension of workgroup_size (3) must be a multiple of the device maxSubgroupSize when the shader',
    ],
    [
      'Buffer size (5) exceeds the max buffer size limit (4).',
      'Buffer size (5) exceeds the max buffer size limit (4).',
    ],
  ])('of %j', (message, told) => {
    expect(withoutAdapter(message)).toBe(told);
  });

  it('tells no digit of the limit wherever it was cut', () => {
    const whole = HIGHER + HINT;
    for (let length = HIGHER.length - 9; length <= whole.length; length++)
      expect(withoutAdapter(`Too big. ${whole.slice(0, length)}`)).not.toMatch(/\d/);
  });

  it.each(['This adapter supports a higher ', HIGHER, `${HIGHER}${HINT}`, 'm', 'max', `${HIGHER}, which can`])(
    'is the same whatever a label says: %j',
    (label) => {
      for (const text of [label, ` ${label}`, label.repeat(1000)])
        expect(withoutAdapter(`[Buffer "${text}"] ${HIGHER}${HINT}`)).not.toMatch(/429496/);
    },
  );

  it.each(['This adapter supports a higher ', 'This adapter supports a higher max', `${HIGHER}, `, 'max', ' '])(
    'costs no more than its length, for many of %j',
    (part) => {
      const start = performance.now();
      withoutAdapter(part.repeat((4 << 20) / part.length));
      expect(performance.now() - start).toBeLessThan(5000);
    },
  );
});
