// The solid objects: textured, lit by the dusk, the key light with its shadow, and the lamps.

@group(1) @binding(0) var surfaces: texture_2d_array<f32>;
@group(1) @binding(1) var reliefs: texture_2d_array<f32>;
@group(1) @binding(3) var smoothSampler: sampler;
@group(2) @binding(0) var shadowMap: texture_depth_2d;
@group(2) @binding(1) var shadowSampler: sampler_comparison;

// The view is the mirror image in the water.
override MIRRORED: bool = false;

struct Vertex {
  @location(0) position: vec3f,
  @location(1) normal: vec3f,
  @location(2) uv: vec2f,
  // The instance: three rows of its placement, then its material.
  @location(3) row0: vec4f,
  @location(4) row1: vec4f,
  @location(5) row2: vec4f,
  // Colour, and how strongly it glows.
  @location(6) tint: vec4f,
  // Texture layer, metallic, roughness, strength of the relief.
  @location(7) material: vec4f,
  // Scale and offset of the texture.
  @location(8) tiling: vec4f,
}

struct Point {
  @builtin(position) clip: vec4f,
  @location(0) position: vec3f,
  @location(1) normal: vec3f,
  @location(2) uv: vec2f,
  @location(3) @interpolate(flat) tint: vec4f,
  @location(4) @interpolate(flat) material: vec4f,
}

@vertex
fn objectVertex(vertex: Vertex) -> Point {
  let local = vec4f(vertex.position, 1.0);
  let position = vec3f(dot(vertex.row0, local), dot(vertex.row1, local), dot(vertex.row2, local));
  let normal = vec3f(
    dot(vertex.row0.xyz, vertex.normal), dot(vertex.row1.xyz, vertex.normal), dot(vertex.row2.xyz, vertex.normal));
  let uv = vertex.uv * vertex.tiling.xy + vertex.tiling.zw;
  return Point(view.viewProjection * vec4f(position, 1.0), position, normal, uv, vertex.tint, vertex.material);
}

@fragment
fn objectFragment(point: Point) -> @location(0) vec4f {
  let layer = i32(point.material.x);
  let color = textureSample(surfaces, smoothSampler, point.uv, layer);
  let relief = textureSample(reliefs, smoothSampler, point.uv, layer);
  let smoothNormal = normalize(point.normal);
  let frame = tangents(point.position, point.uv);
  let tilt = (relief.xy * 2.0 - 1.0) * point.material.w;
  let normal = normalize(smoothNormal + frame[0] * tilt.x + frame[1] * tilt.y);
  // What the normals' variation within a pixel hides must return as roughness, or highlights sparkle.
  let variation = dot(fwidth(normal), fwidth(normal)) * 0.25;
  // What stands under water is below the mirror, not in it.
  if (MIRRORED && point.position.y < 0.0) { discard; }

  var surface: Surface;
  surface.position = point.position;
  surface.normal = normal;
  surface.toEye = normalize(view.eye - point.position);
  surface.albedo = color.rgb * point.tint.rgb;
  surface.metallic = point.material.y;
  surface.roughness = clamp(sqrt(pow(color.a * point.material.z, 2.0) + variation), 0.09, 1.0);

  let open = openness(point.position, smoothNormal) * mix(1.0, 0.75 + 0.25 * relief.a, min(point.material.w, 1.0));
  // Stone is wet and dark where the water reaches it.
  surface.albedo *= mix(0.45, 1.0, smoothstep(0.02, 0.16, point.position.y));
  var light = ambient(surface, open);
  light += direct(surface, world.keyDirection, world.keyColor * shadow(point.position, smoothNormal), 0.03);
  light += pointLights(surface) * (0.35 + 0.65 * open);
  // Lamps are brightest where they face the eye, as a frosted globe is.
  let facing = saturate(dot(smoothNormal, surface.toEye));
  light += surface.albedo * point.tint.a * (0.35 + 0.65 * facing * facing);
  return squeeze(light);
}

// The directions on the surface along which the texture's u and v grow, from how they change across the picture.
fn tangents(position: vec3f, uv: vec2f) -> mat2x3f {
  let px = dpdx(position);
  let py = dpdy(position);
  let ux = dpdx(uv);
  let uy = dpdy(uv);
  let turn = sign(ux.x * uy.y - uy.x * ux.y);
  let along = (px * uy.y - py * ux.y) * turn;
  let across = (py * ux.x - px * uy.x) * turn;
  let size = inverseSqrt(max(max(dot(along, along), dot(across, across)), 1e-24));
  return mat2x3f(along * size, across * size);
}

// A spiral of points that fills a disc evenly.
const DISC = array<vec2f, 9>(
  vec2f(0.236, 0.000), vec2f(-0.301, 0.276), vec2f(0.046, -0.525), vec2f(0.379, 0.495), vec2f(-0.696, -0.123),
  vec2f(0.660, -0.419), vec2f(-0.222, 0.820), vec2f(-0.426, -0.808), vec2f(0.913, 0.333),
);

// 1 in the light, 0 in the shadow, soft between: 9 comparisons, each filtered over 2×2 texels.
fn shadow(position: vec3f, normal: vec3f) -> f32 {
  let lifted = position + normal * 0.025;
  let clip = world.lightViewProjection * vec4f(lifted, 1.0);
  let centre = clip.xy * vec2f(0.5, -0.5) + 0.5;
  let spread = 3.2 / vec2f(textureDimensions(shadowMap));
  var lit = 0.0;
  for (var i = 0; i < 9; i++) {
    lit += textureSampleCompareLevel(shadowMap, shadowSampler, centre + DISC[i] * spread, clip.z);
  }
  return lit / 9.0;
}
