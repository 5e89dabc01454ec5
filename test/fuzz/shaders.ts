import type { Random } from './random.ts';

/** Small programs without loops, so that none of their mutants runs long. */
export const COMPUTE = `@group(0) @binding(0) var<storage, read_write> data: array<u32>;
override scale: u32 = 2u;
@compute @workgroup_size(4) fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < arrayLength(&data)) { data[id.x] = data[id.x] * scale + id.x; }
}`;

export const RENDER = `struct Out { @builtin(position) position: vec4f, @location(0) color: vec4f }
@vertex fn vs(@builtin(vertex_index) i: u32) -> Out {
  var p = array<vec2f, 3>(vec2f(-1.0, -1.0), vec2f(3.0, -1.0), vec2f(-1.0, 3.0));
  return Out(vec4f(p[i % 3u], 0.5, 1.0), vec4f(0.25, 0.5, 0.75, 1.0));
}
@fragment fn fs(in: Out) -> @location(0) vec4f { return in.color; }`;

const OTHERS = [
  '',
  '!',
  'fn f() {}',
  '@compute @workgroup_size(1) fn main() {}',
  `@group(0) @binding(0) var t: texture_2d<f32>; @group(0) @binding(1) var s: sampler;
@fragment fn fs() -> @location(0) vec4f { return textureSample(t, s, vec2f(0.5)); }`,
  `@group(1) @binding(3) var<uniform> u: vec4f; var<workgroup> w: array<u32, 64>;
@compute @workgroup_size(8, 2) fn main(@builtin(local_invocation_index) i: u32) { w[i] = u32(u.x); workgroupBarrier(); }`,
  `@vertex fn vs(@location(0) a: vec4f, @location(1) b: vec2u) -> @builtin(position) vec4f { return a + vec4f(vec2f(b), 0, 1); }`,
  'enable f16; @compute @workgroup_size(1) fn main() { var h: f16 = 1.0h; h = h + h; }',
];

/** A program: one that is right, or one with a few characters changed, or another kind. */
export function program(random: Random, right: string): string {
  const draw = random.below(8);
  if (draw < 5) return right;
  if (draw === 5) return random.pick(OTHERS);
  let text = right;
  for (let left = 1 + random.below(3); left > 0; left--) {
    const at = random.below(text.length + 1);
    const change = random.below(3);
    if (change === 0) text = text.slice(0, at) + text.slice(at + 1 + random.below(4));
    else if (change === 1)
      text = text.slice(0, at) + random.pick(['(', '}', 'u32', ';', '0', '@', '<', '/*']) + text.slice(at);
    else text = text.slice(0, at) + text.slice(random.below(text.length + 1), at + 20) + text.slice(at);
  }
  return text.slice(0, 2000);
}
