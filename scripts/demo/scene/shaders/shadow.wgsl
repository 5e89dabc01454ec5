// Depth as the key light sees it.

@vertex
fn shadowVertex(
  @location(0) position: vec3f,
  @location(3) row0: vec4f,
  @location(4) row1: vec4f,
  @location(5) row2: vec4f,
) -> @builtin(position) vec4f {
  let local = vec4f(position, 1.0);
  return view.viewProjection * vec4f(dot(row0, local), dot(row1, local), dot(row2, local), 1.0);
}
