// What every pass knows: the view that it draws, and the world's lights.

struct View {
  viewProjection: mat4x4f,
  eye: vec3f,
  // The ray through a point of the picture is forward + x·right + y·up, for x and y of -1 to 1.
  right: vec3f,
  up: vec3f,
  forward: vec3f,
  // Pixels.
  viewport: vec2f,
}

struct PointLight {
  position: vec3f,
  radius: f32,
  color: vec3f,
}

struct World {
  lightViewProjection: mat4x4f,
  keyDirection: vec3f,
  keyColor: vec3f,
  // Where the sun went down: horizontal.
  glowDirection: vec3f,
  // 0 to 1 over one loop of the animation.
  phase: f32,
  points: array<PointLight, 3>,
  // Spheres (xyz, radius) that keep the sky's light from what is near them.
  occluders: array<vec4f, 8>,
}

@group(0) @binding(0) var<uniform> view: View;
@group(0) @binding(1) var<uniform> world: World;
