// From light to a picture: glow, exposure, a film-like curve, sRGB.

@group(0) @binding(0) var sharp: texture_2d<f32>;
@group(0) @binding(1) var glow: texture_2d<f32>;
@group(0) @binding(2) var glowSampler: sampler;

const EXPOSURE = 1.4;
const GLOW_SHARE = 0.10;

@vertex
fn tonemapVertex(@builtin(vertex_index) index: u32) -> @builtin(position) vec4f {
  return vec4f(f32(index & 1u) * 4.0 - 1.0, f32(index >> 1u) * 4.0 - 1.0, 0.0, 1.0);
}

@fragment
fn tonemapFragment(@builtin(position) position: vec4f) -> @location(0) vec4f {
  let size = vec2f(textureDimensions(sharp));
  let uv = position.xy / size;
  let light = expand(textureLoad(sharp, vec2u(position.xy), 0).rgb);
  let halo = textureSampleLevel(glow, glowSampler, uv, 0.0).rgb / GLOW_LEVELS;
  let centred = (uv - 0.5) * vec2f(size.x / size.y, 1.0);
  let vignette = 1.0 - 0.34 * smoothstep(0.25, 1.0, length(centred));
  let color = film(mix(light, halo, GLOW_SHARE) * EXPOSURE * vignette);
  // Half a step of noise hides the steps that 8 bits would show in the sky.
  let grain = (fract(52.9829189 * fract(dot(position.xy, vec2f(0.06711056, 0.00583715)))) - 0.5) / 255.0;
  return vec4f(encode(color) + grain, 1.0);
}

// The bloom chain adds this many levels up.
const GLOW_LEVELS = 5.0;

// Hill's fit of the ACES film curve: bright colours pale towards white instead of clipping.
fn film(color: vec3f) -> vec3f {
  let toFilm = mat3x3f(0.59719, 0.07600, 0.02840, 0.35458, 0.90834, 0.13383, 0.04823, 0.01566, 0.83777);
  let fromFilm = mat3x3f(1.60475, -0.10208, -0.00327, -0.53108, 1.10813, -0.07276, -0.07367, -0.00605, 1.07602);
  let v = toFilm * color;
  return saturate(fromFilm * ((v * (v + 0.0245786) - 0.000090537) / (v * (0.983729 * v + 0.4329510) + 0.238081)));
}

fn encode(color: vec3f) -> vec3f {
  return select(1.055 * pow(color, vec3f(1.0 / 2.4)) - 0.055, color * 12.92, color <= vec3f(0.0031308));
}
