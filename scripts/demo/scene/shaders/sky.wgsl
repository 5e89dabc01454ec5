// The sky behind everything: dusk light, clouds lit from below, and hills at the horizon.

@group(1) @binding(2) var noise: texture_2d<f32>;
@group(1) @binding(4) var noiseSampler: sampler;

struct SkyPoint {
  @builtin(position) position: vec4f,
  @location(0) ray: vec3f,
}

@vertex
fn skyVertex(@builtin(vertex_index) index: u32) -> SkyPoint {
  // One triangle that covers the picture, at the far end of the depth range.
  let corner = vec2f(f32(index & 1u) * 4.0 - 1.0, f32(index >> 1u) * 4.0 - 1.0);
  return SkyPoint(vec4f(corner, 1.0, 1.0), view.forward + corner.x * view.right + corner.y * view.up);
}

@fragment
fn skyFragment(point: SkyPoint) -> @location(0) vec4f {
  let ray = normalize(point.ray);
  var color = skyLight(ray);
  color = withClouds(color, ray);
  color = withHills(color, ray, 0.068, 2.0, 0.13, 0.62);
  color = withHills(color, ray, 0.040, 3.0, 0.61, 0.28);
  return squeeze(color);
}

fn withClouds(sky: vec3f, ray: vec3f) -> vec3f {
  // A flat layer of cloud, seen from below; it thins out towards the horizon, where it would be too fine to draw.
  let place = ray.xz / (max(ray.y, 0.0) + 0.16);
  let drift = vec2f(sin(world.phase * 6.2831853) * 0.02, 0.0);
  let coarse = textureSample(noise, noiseSampler, place * vec2f(0.10, 0.26) + drift + vec2f(0.37, 0.12)).r;
  let fine = textureSample(noise, noiseSampler, place * vec2f(0.31, 0.83) + drift + vec2f(0.11, 0.53)).r;
  let cover = smoothstep(0.50, 0.82, coarse * 0.72 + fine * 0.34) * smoothstep(0.035, 0.16, ray.y) * smoothstep(0.75, 0.30, ray.y);
  let towards = dot(normalize(ray.xz), world.glowDirection.xz) * 0.5 + 0.5;
  let lit = mix(vec3f(0.105, 0.085, 0.165), vec3f(1.05, 0.40, 0.26), pow(towards, 7.0) * exp(-ray.y * 2.2));
  return mix(sky, lit, cover * 0.62);
}

fn withHills(sky: vec3f, ray: vec3f, height: f32, frequency: f32, offset: f32, haze: f32) -> vec3f {
  let turn = atan2(ray.x, -ray.z) / 6.2831853;
  let broad = textureSampleLevel(noise, noiseSampler, vec2f(turn * frequency + offset, offset), 0.0).g;
  let detail = textureSampleLevel(noise, noiseSampler, vec2f(turn * frequency * 5.0, offset * 1.7), 0.0).g;
  let ridge = height * (broad * 1.35 - 0.22 + (detail - 0.5) * 0.16);
  let soft = fwidth(ray.y);
  let inside = smoothstep(ridge + soft, ridge - soft, ray.y);
  let shade = vec3f(0.016, 0.020, 0.045);
  let distant = skyLight(normalize(vec3f(ray.x, 0.03, ray.z)));
  // Mist lies in the valleys.
  let mist = haze + (1.0 - haze) * 0.45 * smoothstep(ridge, 0.0, ray.y);
  return mix(sky, mix(shade, distant * 0.62, mist), inside);
}
