// The glow that a lens lays around bright things: the picture is halved again and again, then added up again, each
// step with a small soft filter.

@group(0) @binding(0) var source: texture_2d<f32>;
@group(0) @binding(1) var sourceSampler: sampler;

// 1 for the first step, whose source is squeezed.
override SQUEEZED: bool = false;

struct BloomPoint {
  @builtin(position) position: vec4f,
  @location(0) uv: vec2f,
}

@vertex
fn bloomVertex(@builtin(vertex_index) index: u32) -> BloomPoint {
  let corner = vec2f(f32(index & 1u), f32(index >> 1u)) * 2.0;
  return BloomPoint(vec4f(corner * vec2f(2.0, -2.0) + vec2f(-1.0, 1.0), 0.0, 1.0), corner);
}

fn at(uv: vec2f) -> vec3f {
  let color = textureSampleLevel(source, sourceSampler, uv, 0.0).rgb;
  if (SQUEEZED) { return min(expand(color), vec3f(60.0)); }
  return color;
}

@fragment
fn shrink(point: BloomPoint) -> @location(0) vec4f {
  let texel = 1.0 / vec2f(textureDimensions(source));
  var sum = at(point.uv) * 4.0;
  for (var i = 0; i < 4; i++) {
    let corner = vec2f(f32(i & 1), f32(i >> 1)) * 2.0 - 1.0;
    sum += at(point.uv + corner * texel * 1.5) * 2.0;
    sum += at(point.uv + vec2f(corner.x - corner.y, corner.x + corner.y) * texel) ;
  }
  return vec4f(sum / 16.0, 1.0);
}

@fragment
fn grow(point: BloomPoint) -> @location(0) vec4f {
  let texel = 1.0 / vec2f(textureDimensions(source));
  var sum = vec3f(0.0);
  for (var y = -1; y <= 1; y++) {
    for (var x = -1; x <= 1; x++) {
      let weight = f32((2 - abs(x)) * (2 - abs(y)));
      sum += at(point.uv + vec2f(f32(x), f32(y)) * texel) * weight;
    }
  }
  return vec4f(sum / 16.0, 1.0);
}
