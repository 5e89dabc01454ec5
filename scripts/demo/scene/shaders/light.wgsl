// How a surface answers light: a microfacet model for direct light, and what the sky and the water send.

const PI = 3.14159265;

struct Surface {
  position: vec3f,
  normal: vec3f,
  toEye: vec3f,
  albedo: vec3f,
  metallic: f32,
  roughness: f32,
}

fn reflectance(surface: Surface) -> vec3f {
  return mix(vec3f(0.04), surface.albedo, surface.metallic);
}

fn diffuseColor(surface: Surface) -> vec3f {
  return surface.albedo * (1.0 - surface.metallic);
}

// Light from one direction: GGX with the visibility term of Hammon, Schlick's Fresnel. `widening` makes the
// highlight as broad as the lamp that causes it.
fn direct(surface: Surface, toLight: vec3f, light: vec3f, widening: f32) -> vec3f {
  let halfway = normalize(toLight + surface.toEye);
  let nl = max(dot(surface.normal, toLight), 0.0);
  let nv = max(dot(surface.normal, surface.toEye), 1e-3);
  let nh = max(dot(surface.normal, halfway), 0.0);
  let vh = max(dot(surface.toEye, halfway), 0.0);
  let alpha = surface.roughness * surface.roughness;
  let wide = min(alpha + widening, 1.0);
  let spread = nh * nh * (wide * wide - 1.0) + 1.0;
  // Energy is kept: the broader highlight is dimmer.
  let distribution = alpha * alpha / (PI * spread * spread);
  let visibility = 0.5 / mix(2.0 * nl * nv, nl + nv, alpha);
  let f0 = reflectance(surface);
  let fresnel = f0 + (1.0 - f0) * pow(1.0 - vh, 5.0);
  return (diffuseColor(surface) / PI + distribution * visibility * fresnel) * light * nl;
}

fn pointLights(surface: Surface) -> vec3f {
  var sum = vec3f(0.0);
  for (var i = 0u; i < 3u; i++) {
    let lamp = world.points[i];
    let offset = lamp.position - surface.position;
    let distance = length(offset);
    let falloff = 1.0 / (distance * distance + 0.08);
    let window = saturate(1.0 - pow(distance / 9.0, 4.0));
    sum += direct(surface, offset / distance, lamp.color * falloff * window * window, lamp.radius / (2.0 * distance));
  }
  return sum;
}

// How much of the sky a point sees past the nearby spheres.
fn openness(position: vec3f, normal: vec3f) -> f32 {
  var open = 1.0;
  for (var i = 0u; i < 8u; i++) {
    let offset = world.occluders[i].xyz - position;
    let distance = length(offset);
    let radius = world.occluders[i].w;
    let cover = radius * radius / max(distance * distance, radius * radius);
    open *= 1.0 - saturate(dot(normal, offset / distance) * 0.75 + 0.25) * cover * smoothstep(radius * 0.6, radius * 1.05, distance);
  }
  return open;
}

// What comes from a direction, blurred by roughness: sky above, stone or water below.
fn surroundings(position: vec3f, direction: vec3f, roughness: f32) -> vec3f {
  let blur = 0.04 + roughness * 0.5;
  let above = skyLight(normalize(vec3f(direction.x, max(direction.y, 0.0) * (1.0 - 0.6 * roughness) + roughness * 0.1, direction.z)));
  let below = vec3f(direction.x, abs(direction.y), direction.z);
  let fresnel = 0.16 + 0.74 * pow(1.0 - saturate(below.y), 4.0);
  var ground = skyLight(below) * fresnel + vec3f(0.006, 0.014, 0.022);
  // The stone disc in the middle is a plane near enough to be seen in the metal.
  let travel = (STONE_HEIGHT - position.y) / min(direction.y, -1e-3);
  let hit = length(position.xz + direction.xz * travel);
  // Next to an object's foot the stone lies in its shade.
  let shade = mix(0.3, 1.0, smoothstep(0.0, 0.7, travel));
  let edge = (0.08 + roughness * 0.6) * max(travel, 0.5);
  let stone = shade * (world.keyColor * 0.030 + world.points[0].color * 0.012 + vec3f(0.02, 0.022, 0.035));
  ground = mix(ground, stone, smoothstep(STONE_RADIUS + edge, STONE_RADIUS - edge, hit));
  // A rougher surface gathers some of the glow from everywhere.
  return mix(ground, above, smoothstep(-blur, blur, direction.y)) + vec3f(0.26, 0.16, 0.13) * roughness;
}

const STONE_HEIGHT = 0.4;
const STONE_RADIUS = 2.3;

// Sky light on a matt surface, and the surroundings mirrored in a glossy one.
fn ambient(surface: Surface, open: f32) -> vec3f {
  let up = surface.normal.y * 0.5 + 0.5;
  let side = dot(surface.normal, world.glowDirection) * 0.5 + 0.5;
  let irradiance = mix(vec3f(0.022, 0.024, 0.036), vec3f(0.085, 0.125, 0.260), up)
    + vec3f(0.330, 0.140, 0.075) * side * side * (1.0 - abs(surface.normal.y) * 0.6);
  let mirrored = reflect(-surface.toEye, surface.normal);
  let nv = saturate(dot(surface.normal, surface.toEye));
  // Karis' fit of the reflected share for a rough surface.
  let c0 = vec4f(-1.0, -0.0275, -0.572, 0.022);
  let c1 = vec4f(1.0, 0.0425, 1.04, -0.04);
  let r = surface.roughness * c0 + c1;
  let a004 = min(r.x * r.x, exp2(-9.28 * nv)) * r.x + r.y;
  let share = vec2f(-1.04, 1.04) * a004 + r.zw;
  let gloss = reflectance(surface) * share.x + share.y;
  let shut = saturate(pow(nv + open, 2.0) - 1.0 + open);
  return diffuseColor(surface) * irradiance * open
    + surroundings(surface.position, mirrored, surface.roughness) * gloss * shut;
}
