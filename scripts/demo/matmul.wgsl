// C = A · B for square row-major matrices. Each workgroup computes one 32×32 tile of C: it walks along the shared
// dimension tile by tile, so that every element is read from memory once a tile instead of once a product. Each
// invocation keeps a 4×4 block of the tile in registers, so that a value from workgroup memory serves four products.
const BLOCK = 4u;
const THREADS = 8u;
const TILE = 32u; // BLOCK × THREADS

@group(0) @binding(0) var<uniform> size: u32;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read_write> c: array<f32>;

var<workgroup> tileA: array<array<f32, TILE>, TILE>;
var<workgroup> tileB: array<array<f32, TILE>, TILE>;

@compute @workgroup_size(THREADS, THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let origin = group.xy * TILE;
  // One row of the block is one vector.
  var sums = array<vec4f, BLOCK>();
  for (var start = 0u; start < size; start += TILE) {
    for (var y = local.y; y < TILE; y += THREADS) {
      for (var x = local.x; x < TILE; x += THREADS) {
        tileA[y][x] = elementOfA(origin.y + y, start + x);
        tileB[y][x] = elementOfB(start + y, origin.x + x);
      }
    }
    workgroupBarrier();
    let row = local.y * BLOCK;
    let column = local.x * BLOCK;
    for (var k = 0u; k < TILE; k++) {
      let right = vec4f(tileB[k][column], tileB[k][column + 1u], tileB[k][column + 2u], tileB[k][column + 3u]);
      for (var i = 0u; i < BLOCK; i++) {
        sums[i] += tileA[row + i][k] * right;
      }
    }
    workgroupBarrier();
  }
  for (var i = 0u; i < BLOCK; i++) {
    for (var j = 0u; j < BLOCK; j++) {
      let row = origin.y + local.y * BLOCK + i;
      let column = origin.x + local.x * BLOCK + j;
      if (row < size && column < size) { c[row * size + column] = sums[i][j]; }
    }
  }
}

// Beyond the edge everything reads as zero, so that any size works.
fn elementOfA(row: u32, column: u32) -> f32 {
  if (row >= size || column >= size) { return 0.0; }
  return a[row * size + column];
}

fn elementOfB(row: u32, column: u32) -> f32 {
  if (row >= size || column >= size) { return 0.0; }
  return b[row * size + column];
}
