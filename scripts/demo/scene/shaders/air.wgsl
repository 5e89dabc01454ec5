// The light of the dusk sky in a direction, without clouds, hills and stars: also what surfaces reflect, and what
// distance fades into.

fn skyLight(direction: vec3f) -> vec3f {
  let height = max(direction.y, 0.0);
  let towards = dot(normalize(direction.xz + vec2f(1e-5, 0.0)), world.glowDirection.xz) * 0.5 + 0.5;
  let glow = towards * towards * towards;
  let night = vec3f(0.010, 0.022, 0.070);
  let blue = mix(vec3f(0.030, 0.060, 0.170), vec3f(0.055, 0.115, 0.270), glow);
  let rose = mix(vec3f(0.075, 0.050, 0.120), vec3f(0.480, 0.150, 0.115), glow);
  let ember = mix(vec3f(0.040, 0.030, 0.060), vec3f(2.100, 0.780, 0.120), glow * glow);
  return night + blue * exp(-height * 2.6) + rose * exp(-height * 8.5) + ember * exp(-height * 19.0);
}
