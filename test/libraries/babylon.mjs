// Babylon.js: textured ground, lit thin instances, a shadow map with PCF, alpha blending, an MSAA render target and a
// compute shader; then the same scene on the engine's canvas, read back from its texture.
import { canvas } from './dom.mjs';
import * as BABYLON from '@babylonjs/core';
import { numbers, pixels, random, report } from './report.mjs';

const WIDTH = 320;
const HEIGHT = 240;
const { Color3, Color4, Vector3, Matrix, MeshBuilder, StandardMaterial, RenderTargetTexture } = BABYLON;
BABYLON.Logger.LogLevels = BABYLON.Logger.ErrorLogLevel;
const element = canvas(WIDTH, HEIGHT);
const engine = new BABYLON.WebGPUEngine(element, { antialias: true, adaptToDeviceRatio: false });
await engine.initAsync();

const scene = new BABYLON.Scene(engine);
scene.clearColor = new Color4(0.1, 0.15, 0.3, 1);
const camera = new BABYLON.ArcRotateCamera('camera', 0.8, 1.1, 8, Vector3.Zero(), scene);
const sun = new BABYLON.DirectionalLight('sun', new Vector3(-1, -2, -1), scene);
sun.position = new Vector3(4, 8, 4);
new BABYLON.HemisphericLight('sky', Vector3.Up(), scene).intensity = 0.4;

const checker = new Uint8Array(64 * 64 * 4);
for (let i = 0; i < 64 * 64; i++) {
  checker.set((((i % 64) >> 3) + (i >> 9)) % 2 ? [220, 80, 60, 255] : [240, 230, 200, 255], i * 4);
}
const ground = MeshBuilder.CreateGround('ground', { width: 9, height: 9 }, scene);
const floor = new StandardMaterial('floor', scene);
floor.diffuseTexture = BABYLON.RawTexture.CreateRGBATexture(
  checker,
  64,
  64,
  scene,
  true,
  false,
  BABYLON.Texture.TRILINEAR_SAMPLINGMODE,
);
floor.specularColor = Color3.Black();
ground.material = floor;
ground.receiveShadows = true;

const next = random(13);
const boxes = MeshBuilder.CreateBox('boxes', { size: 0.6 }, scene);
const paint = new StandardMaterial('paint', scene);
paint.specularPower = 32;
boxes.material = paint;
const matrices = new Float32Array(24 * 16);
const colours = new Float32Array(24 * 4);
for (let i = 0; i < 24; i++) {
  Matrix.RotationYawPitchRoll(next() * 3, next() * 3, 0)
    .multiply(Matrix.Translation((next() - 0.5) * 6, 0.4 + next() * 2, (next() - 0.5) * 6))
    .copyToArray(matrices, i * 16);
  colours.set([next(), next(), next(), 1], i * 4);
}
boxes.thinInstanceSetBuffer('matrix', matrices, 16);
boxes.thinInstanceSetBuffer('color', colours, 4);
const glass = MeshBuilder.CreateSphere('glass', { diameter: 1.6 }, scene);
glass.position.y = 1.2;
glass.material = new StandardMaterial('glass', scene);
glass.material.diffuseColor = new Color3(0.4, 0.9, 1);
glass.material.alpha = 0.6;

const shadows = new BABYLON.ShadowGenerator(512, sun);
shadows.addShadowCaster(boxes);
shadows.usePercentageCloserFiltering = true;
const target = new RenderTargetTexture('target', { width: WIDTH, height: HEIGHT }, scene, { samples: 4 });
target.activeCamera = camera;
target.renderList = [ground, boxes, glass];
target.clearColor = scene.clearColor;
scene.customRenderTargets.push(target);

const frame = () => {
  engine.beginFrame();
  scene.render();
  engine.endFrame();
};
// Shaders are loaded as modules and pipelines made as they are first needed: draw until nothing is missing, then twice.
const ready = () => engine.areAllEffectsReady() && scene.meshes.every((mesh) => mesh.isReady(true));
for (let tries = 0; tries < 200; tries++) {
  const done = ready();
  frame();
  if (done) break;
  await new Promise((resolve) => setTimeout(resolve, 25));
}
if (!ready()) throw new Error('the scene never became ready');
frame();
frame();
const image = await target.readPixels();

const source = `@group(0) @binding(0) var<storage, read_write> values: array<f32>;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
  values[id.x] = sqrt(values[id.x]) * 0.5 + f32(id.x);
}`;
const squares = new BABYLON.StorageBuffer(engine, 256 * 4);
squares.update(Float32Array.from({ length: 256 }, next));
const kernel = new BABYLON.ComputeShader(
  'kernel',
  engine,
  { computeSource: source },
  { bindingsMapping: { values: { group: 0, binding: 0 } } },
);
kernel.setStorageBuffer('values', squares);
await kernel.dispatchWhenReady(4);
const computed = await squares.read(0, 256 * 4, undefined, true);
const shown = await engine.readPixels(0, 0, WIDTH, HEIGHT);

const bytes = (view) => new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
report({
  library: `@babylonjs/core ${BABYLON.Engine.Version}`,
  target: pixels(bytes(image), WIDTH, HEIGHT),
  canvas: pixels(bytes(shown), WIDTH, HEIGHT),
  compute: numbers(new Float32Array(computed.buffer)),
});
