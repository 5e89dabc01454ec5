// Triangle meshes, computed: position, normal and texture coordinates a vertex, counter-clockwise from outside.
import { add, cross, normalize, scale, subtract } from './math.mjs';

/** Floats a vertex: position (3), normal (3), texture coordinates (2). */
export const VERTEX_FLOATS = 8;

/**
 * @typedef {object} Mesh
 * @property {number[]} vertices VERTEX_FLOATS a vertex
 * @property {number[]} indices three a triangle
 */

/**
 * A bent sheet: (columns + 1) × (rows + 1) vertices, the last of each direction lying where a closed shape began.
 * @param {number} columns
 * @param {number} rows
 * @param {(u: number, v: number) => { position: import("./math.mjs").Vec3, normal: import("./math.mjs").Vec3, uv?: [number, number] }} at
 * @returns {Mesh}
 */
function sheet(columns, rows, at) {
  /** @type {Mesh} */
  const mesh = { vertices: [], indices: [] };
  for (let row = 0; row <= rows; row++) {
    for (let column = 0; column <= columns; column++) {
      const u = column / columns;
      const v = row / rows;
      const { position, normal, uv = [u, v] } = at(u, v);
      mesh.vertices.push(...position, ...normal, ...uv);
      if (row === rows || column === columns) continue;
      const corner = row * (columns + 1) + column;
      const above = corner + columns + 1;
      mesh.indices.push(corner, corner + 1, above, above, corner + 1, above + 1);
    }
  }
  return mesh;
}

/**
 * A tube along the (2, 3) torus knot.
 * @param {number} radius of the torus' ring
 * @param {number} tube radius of the tube
 * @returns {Mesh}
 */
export function torusKnot(radius, tube) {
  /** @type {(turn: number) => import("./math.mjs").Vec3} */
  const curve = (turn) => {
    const angle = turn * Math.PI * 2;
    const ring = radius * (1 + 0.42 * Math.cos(3 * angle));
    return [ring * Math.cos(2 * angle), ring * Math.sin(2 * angle), radius * 0.52 * Math.sin(3 * angle)];
  };
  return sheet(256, 24, (u, v) => {
    const centre = curve(u);
    const ahead = curve(u + 1e-3);
    const tangent = normalize(subtract(ahead, curve(u - 1e-3)));
    const side = normalize(cross(tangent, add(ahead, centre)));
    const angle = v * Math.PI * 2;
    const normal = add(scale(side, Math.cos(angle)), scale(cross(side, tangent), Math.sin(angle)));
    return { position: add(centre, scale(normal, tube)), normal };
  });
}

/**
 * @param {number} radius
 * @returns {Mesh}
 */
export function sphere(radius) {
  return sheet(48, 24, (u, v) => {
    const around = u * Math.PI * 2;
    const up = (v - 0.5) * Math.PI;
    /** @type {import("./math.mjs").Vec3} */
    const normal = [Math.sin(around) * Math.cos(up), Math.sin(up), Math.cos(around) * Math.cos(up)];
    return { position: scale(normal, radius), normal };
  });
}

/**
 * Turns an outline about the y axis. v counts the length along the outline in world units.
 * @param {[radius: number, y: number][]} outline from the foot to the top
 * @param {number} segments
 * @returns {Mesh}
 */
export function lathe(outline, segments) {
  /** @type {Mesh} */
  const mesh = { vertices: [], indices: [] };
  const facings = outline.slice(1).map(([r1, y1], i) => {
    const [r0, y0] = outline[i];
    const step = Math.hypot(r1 - r0, y1 - y0);
    return { out: (y1 - y0) / step, up: (r0 - r1) / step };
  });
  let length = 0;
  for (let i = 0; i + 1 < outline.length; i++) {
    const [r0, y0] = outline[i];
    const [r1, y1] = outline[i + 1];
    const step = Math.hypot(r1 - r0, y1 - y0);
    const from = length;
    const [foot, top] = [bend(facings[i - 1], facings[i]), bend(facings[i + 1], facings[i])];
    const ring = sheet(segments, 1, (u, v) => {
      const angle = u * Math.PI * 2;
      const [sin, cos] = [Math.sin(angle), Math.cos(angle)];
      const radius = r0 + (r1 - r0) * v;
      const { out, up } = v === 0 ? foot : top;
      return {
        position: [sin * radius, y0 + (y1 - y0) * v, cos * radius],
        normal: [sin * out, up, cos * out],
        uv: [u, from + step * v],
      };
    });
    append(mesh, ring);
    length += step;
  }
  return mesh;
}

/**
 * Where two stretches of an outline meet at a small angle, they are parts of one curve and share a normal; edges stay
 * crisp.
 * @param {{ out: number, up: number } | undefined} neighbour
 * @param {{ out: number, up: number }} own
 */
function bend(neighbour, own) {
  if (!neighbour || neighbour.out * own.out + neighbour.up * own.up < 0.9) return own;
  const [out, up] = [neighbour.out + own.out, neighbour.up + own.up];
  return { out: out / Math.hypot(out, up), up: up / Math.hypot(out, up) };
}

/**
 * A box with rounded edges, standing on y = 0. Texture coordinates are world units.
 * @param {import("./math.mjs").Vec3} size
 * @param {number} rounding radius of the edges
 * @returns {Mesh}
 */
export function roundedBox(size, rounding) {
  /** @type {Mesh} */
  const mesh = { vertices: [], indices: [] };
  const half = scale(size, 0.5);
  const steps = 6;
  // Along each axis of a face: `steps` vertices for each rounding, one flat stretch between them.
  const cells = steps * 2 + 1;
  /** @type {(t: number, half: number) => number} */
  const spread = (t, extent) => {
    const cell = Math.round(t * cells);
    const core = extent - rounding;
    if (cell <= steps) return -core - rounding * Math.tan(((1 - cell / steps) * Math.PI) / 4);
    return core + rounding * Math.tan((((cell - steps - 1) / steps) * Math.PI) / 4);
  };
  for (const axis of [0, 1, 2]) {
    for (const sign of [-1, 1]) {
      const [a, b] = [(axis + 1) % 3, (axis + 2) % 3];
      const face = sheet(cells, cells, (u, v) => {
        /** @type {[number, number, number]} */
        const onBox = [0, 0, 0];
        onBox[axis] = half[axis] * sign;
        onBox[a] = spread(sign > 0 ? u : 1 - u, half[a]);
        onBox[b] = spread(v, half[b]);
        // The box without its rounding; what sticks out of it is pulled back to the rounding's sphere or cylinder.
        const core = /** @type {[number, number, number]} */ (
          onBox.map((x, i) => Math.max(rounding - half[i], Math.min(half[i] - rounding, x)))
        );
        const normal = normalize(subtract(onBox, core));
        const position = add(add(core, scale(normal, rounding)), [0, half[1], 0]);
        return { position, normal, uv: axis === 1 ? [onBox[0], onBox[2]] : [onBox[axis === 0 ? 2 : 0], onBox[1]] };
      });
      append(mesh, face);
    }
  }
  return mesh;
}

/**
 * @param {Mesh} mesh grows
 * @param {Mesh} part
 */
function append(mesh, part) {
  const base = mesh.vertices.length / VERTEX_FLOATS;
  for (const value of part.vertices) mesh.vertices.push(value);
  for (const index of part.indices) mesh.indices.push(base + index);
}

/**
 * @typedef {object} MeshRange where one of several packed meshes lies
 * @property {number} firstIndex
 * @property {number} indexCount
 * @property {number} baseVertex
 */

/**
 * Packs meshes into one vertex and one index array, so that a pass binds its buffers once.
 * @param {Mesh[]} meshes
 * @returns {{ vertices: Float32Array<ArrayBuffer>, indices: Uint32Array<ArrayBuffer>, ranges: MeshRange[] }}
 */
export function pack(meshes) {
  /** @type {MeshRange[]} */
  const ranges = [];
  let [firstIndex, baseVertex] = [0, 0];
  for (const { vertices, indices } of meshes) {
    ranges.push({ firstIndex, indexCount: indices.length, baseVertex });
    firstIndex += indices.length;
    baseVertex += vertices.length / VERTEX_FLOATS;
  }
  return {
    vertices: Float32Array.from(meshes.flatMap((mesh) => mesh.vertices)),
    indices: Uint32Array.from(meshes.flatMap((mesh) => mesh.indices)),
    ranges,
  };
}
