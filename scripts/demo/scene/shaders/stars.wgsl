// The stars, each a small soft sprite that faces the eye; the evening star is larger and has a halo and rays.

struct Star {
  @location(0) direction: vec3f,
  // Pixels of a picture 768 pixels high.
  @location(1) radius: f32,
  @location(2) color: vec3f,
  // 1 for the evening star.
  @location(3) evening: f32,
}

struct StarPoint {
  @builtin(position) position: vec4f,
  // From the centre, in the same pixels as the radius.
  @location(0) offset: vec2f,
  @location(1) @interpolate(flat) color: vec3f,
  @location(2) @interpolate(flat) radius: f32,
  @location(3) @interpolate(flat) evening: f32,
}

@vertex
fn starVertex(@builtin(vertex_index) index: u32, star: Star) -> StarPoint {
  let corner = vec2f(f32(index & 1u), f32(index >> 1u)) * 2.0 - 1.0;
  let centre = view.viewProjection * vec4f(star.direction, 0.0);
  let pixel = 2.0 / view.viewport * (view.viewport.y / 768.0);
  let place = centre.xy + corner * star.radius * pixel * centre.w;
  // Depth 1: behind everything, on the sky.
  return StarPoint(vec4f(place, centre.w, centre.w), corner * star.radius, star.color, star.radius, star.evening);
}

@fragment
fn starFragment(point: StarPoint) -> @location(0) vec4f {
  let distance = length(point.offset);
  var light = exp(-distance * distance / (point.radius * point.radius * 0.16));
  if (point.evening > 0.5) {
    let across = abs(point.offset);
    let core = 26.0 * exp(-distance * distance / 7.5);
    let halo = 0.55 / (1.0 + distance * distance / 36.0);
    let rays = 1.7 * exp(-min(across.x, across.y) * 1.15) * exp(-max(across.x, across.y) * 0.085);
    // Everything has faded to nothing at the sprite's edge.
    light = (core + halo + rays) * smoothstep(1.0, 0.2, distance / point.radius);
  }
  return squeeze(point.color * light);
}
