// Calm water: the mirror image of the world, bent by ripples, over a dark depth.

@group(1) @binding(1) var reliefs: texture_2d_array<f32>;
@group(1) @binding(3) var smoothSampler: sampler;
@group(3) @binding(0) var mirrorImage: texture_2d<f32>;
@group(3) @binding(1) var mirrorSampler: sampler;

const WATER_LAYER = 5;

struct WaterPoint {
  @builtin(position) clip: vec4f,
  @location(0) position: vec3f,
}

@vertex
fn waterVertex(@builtin(vertex_index) index: u32) -> WaterPoint {
  let corner = vec2f(f32(index & 1u), f32(index >> 1u)) * 2.0 - 1.0;
  let position = vec3f(corner.x * 600.0, 0.0, -corner.y * 600.0);
  return WaterPoint(view.viewProjection * vec4f(position, 1.0), position);
}

@fragment
fn waterFragment(point: WaterPoint) -> @location(0) vec4f {
  let offset = view.eye - point.position;
  let distance = length(offset);
  let toEye = offset / distance;

  // Two layers of ripples that run against each other; whole repeats a loop, so that the animation closes.
  let drift = world.phase;
  let broad = textureSample(reliefs, smoothSampler, point.position.xz * 0.11 + vec2f(drift, 0.0), WATER_LAYER).xy;
  let fine = textureSample(reliefs, smoothSampler, point.position.zx * 0.37 + vec2f(-drift, drift * 2.0), WATER_LAYER).xy;
  let slope = ((broad * 2.0 - 1.0) * 0.034 + (fine.yx * 2.0 - 1.0) * 0.020) / (1.0 + distance * 0.03);
  let normal = normalize(vec3f(slope.x, 1.0, slope.y));

  // A slope tilts the reflected ray by twice its angle; seen in the picture, mostly up and down.
  let side = normalize(view.right);
  let ahead = normalize(vec3f(view.forward.x, 0.0, view.forward.z));
  let tilt = vec2f(dot(vec3f(slope.x, 0.0, slope.y), side) * 0.35, dot(vec3f(slope.x, 0.0, slope.y), ahead) * 1.1);
  let place = point.clip.xy / view.viewport + tilt;
  // Ripples too fine to draw smear the image along the line of sight.
  let smear = 0.0035 + 0.010 * saturate(distance / 40.0);
  var image = vec3f(0.0);
  var weights = 0.0;
  for (var i = -3; i <= 3; i++) {
    let weight = exp(-f32(i * i) * 0.22);
    image += expand(textureSampleLevel(mirrorImage, mirrorSampler, place + vec2f(0.0, f32(i) * smear), 0.0).rgb) * weight;
    weights += weight;
  }
  image /= weights;

  let facing = saturate(dot(normal, toEye));
  let fresnel = 0.02 + 0.98 * pow(1.0 - facing, 5.0);
  let depth = vec3f(0.004, 0.016, 0.024);
  // A little of the sky is always mirrored: real water is never as clear as the formula.
  var color = mix(depth, image, saturate(fresnel * 0.86 + 0.16));
  for (var i = 0u; i < 3u; i++) {
    let lamp = world.points[i];
    let away = lamp.position - point.position;
    color += lamp.color * vec3f(0.0035, 0.0060, 0.0060) / (dot(away, away) + 0.3);
  }
  let haze = 1.0 - exp(-distance * 0.0022);
  let horizon = skyLight(normalize(vec3f(-offset.x, 0.012 * distance, -offset.z))) * 0.62;
  return squeeze(mix(color, horizon, haze * 0.55));
}
