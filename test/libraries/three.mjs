// three.js: a lit scene with shadows, mipmapped textures, instancing, a transparent object and MSAA, rendered into a
// target and read back; and a TSL compute kernel over a storage buffer.
import { canvas } from './dom.mjs';
import * as THREE from 'three/webgpu';
import { Fn, instancedArray, instanceIndex, float, sin, texture, uv, vec3 } from 'three/tsl';
import { numbers, pixels, random, report } from './report.mjs';

const renderer = new THREE.WebGPURenderer({ canvas: canvas(320, 240), antialias: true });
renderer.setSize(320, 240, false);
renderer.shadowMap.enabled = true;
await renderer.init();
if (!renderer.backend.isWebGPUBackend) throw new Error('three.js fell back to WebGL');

function checker(size, one, other) {
  const data = new Uint8Array(size * size * 4);
  for (let i = 0; i < size * size; i++) {
    const even = (((i % size) >> 3) + (Math.floor(i / size) >> 3)) % 2 === 0;
    data.set([...(even ? one : other), 255], i * 4);
  }
  const map = new THREE.DataTexture(data, size, size);
  map.colorSpace = THREE.SRGBColorSpace;
  map.wrapS = map.wrapT = THREE.RepeatWrapping;
  map.minFilter = THREE.LinearMipmapLinearFilter;
  map.magFilter = THREE.LinearFilter;
  map.generateMipmaps = true;
  map.anisotropy = 4;
  map.needsUpdate = true;
  return map;
}

const scene = new THREE.Scene();
scene.background = new THREE.Color(0x203040);
scene.fog = new THREE.Fog(0x203040, 8, 30);
const camera = new THREE.PerspectiveCamera(50, 320 / 240, 0.1, 50);
camera.position.set(4, 4, 7);
camera.lookAt(0, 0.5, 0);
scene.add(new THREE.HemisphereLight(0x99bbff, 0x443322, 1));
const sun = new THREE.DirectionalLight(0xffeedd, 3);
sun.position.set(4, 8, 3);
sun.castShadow = true;
sun.shadow.mapSize.set(512, 512);
scene.add(sun);

const ground = new THREE.Mesh(
  new THREE.PlaneGeometry(30, 30),
  new THREE.MeshStandardMaterial({ map: checker(64, [210, 200, 180], [90, 80, 70]), roughness: 0.9 }),
);
ground.material.map.repeat.set(6, 6);
ground.rotation.x = -Math.PI / 2;
ground.receiveShadow = true;
scene.add(ground);

const next = random(7);
const boxes = new THREE.InstancedMesh(
  new THREE.BoxGeometry(0.5, 0.5, 0.5),
  new THREE.MeshStandardMaterial({ metalness: 0.2, roughness: 0.5 }),
  60,
);
const place = new THREE.Object3D();
for (let i = 0; i < boxes.count; i++) {
  place.position.set((next() - 0.5) * 8, 0.25 + next() * 2, (next() - 0.5) * 8);
  place.rotation.set(next() * 3, next() * 3, 0);
  place.updateMatrix();
  boxes.setMatrixAt(i, place.matrix);
  boxes.setColorAt(i, new THREE.Color().setHSL(next(), 0.8, 0.5));
}
boxes.castShadow = boxes.receiveShadow = true;
scene.add(boxes);

const ball = new THREE.Mesh(new THREE.SphereGeometry(1, 32, 16), new THREE.MeshPhysicalNodeMaterial({ clearcoat: 1 }));
ball.material.colorNode = texture(checker(32, [240, 60, 60], [250, 250, 240]), uv().mul(2));
ball.material.emissiveNode = vec3(0, 0, sin(uv().y.mul(40)).mul(0.1).max(0));
ball.position.set(0, 1, 0);
ball.castShadow = true;
scene.add(ball);
const glass = new THREE.Mesh(
  new THREE.TorusKnotGeometry(0.6, 0.2, 64, 12),
  new THREE.MeshPhongMaterial({ color: 0x66ffcc, transparent: true, opacity: 0.5, shininess: 80 }),
);
glass.position.set(2, 1.2, 2);
scene.add(glass);

const target = new THREE.RenderTarget(320, 240, { samples: 4 });
renderer.setRenderTarget(target);
renderer.render(scene, camera);
ball.rotation.y = 0.7;
renderer.render(scene, camera); // a second frame goes through the engine's warm path
const image = await renderer.readRenderTargetPixelsAsync(target, 0, 0, 320, 240);
renderer.setRenderTarget(null);

const wave = instancedArray(1024, 'float');
const kernel = Fn(() => {
  const value = wave.element(instanceIndex);
  value.assign(value.add(sin(float(instanceIndex).mul(0.01)).mul(0.5)));
})().compute(1024);
await renderer.computeAsync(kernel);
await renderer.computeAsync(kernel);
const computed = new Float32Array(await renderer.getArrayBufferAsync(wave.value));

report({ library: `three r${THREE.REVISION}`, scene: pixels(image, 320, 240), compute: numbers(computed) });
