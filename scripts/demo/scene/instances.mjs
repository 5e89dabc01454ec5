// Lays instances out as the shaders read them.

/** Floats an instance: three rows of placement, tint, material, tiling. */
export const INSTANCE_FLOATS = 24;

/**
 * @param {import("./stage.mjs").Instance[]} instances
 * @returns {Float32Array<ArrayBuffer>}
 */
export function encodeInstances(instances) {
  return Float32Array.from(instances.flatMap(encode));
}

/** @param {import("./stage.mjs").Instance} instance */
function encode({
  position,
  yaw = 0,
  roll = 0,
  scale = 1,
  layer,
  tint = [1, 1, 1],
  glow = 0,
  metallic = 0,
  roughness = 1,
  relief = 1,
  tiling = [1, 1, 0, 0],
}) {
  const [sin, cos] = [Math.sin(yaw) * scale, Math.cos(yaw) * scale];
  const [sinRoll, cosRoll] = [Math.sin(roll), Math.cos(roll)];
  // prettier-ignore
  return [
    cos * cosRoll, -cos * sinRoll, sin, position[0],
    scale * sinRoll, scale * cosRoll, 0, position[1],
    -sin * cosRoll, sin * sinRoll, cos, position[2],
    ...tint, glow,
    layer, metallic, roughness, relief,
    ...tiling,
  ];
}
