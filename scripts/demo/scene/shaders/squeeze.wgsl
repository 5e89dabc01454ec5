// Colours reach the multisampled target squeezed into [0, 1) and are expanded after the resolve. An edge against
// something very bright is averaged as the eye will see it, not as its brightest sample says: no jagged highlights.
fn squeeze(color: vec3f) -> vec4f {
  return vec4f(color / (1.0 + max(color.r, max(color.g, color.b))), 1.0);
}

fn expand(color: vec3f) -> vec3f {
  return color / max(1.0 - max(color.r, max(color.g, color.b)), 0.002);
}
