// Renders a square of a material by three.js; the picture's floats in base 64, bottom row first, null without WebGPU.
async ({ side, turn, camera, uv, lights, environment, parameters }) => {
  if (!(await navigator.gpu?.requestAdapter())) return null;
  const THREE = await import('three/webgpu');
  const TSL = await import('three/tsl');
  const { NeuralMaterial } = await import('/material.js');
  const renderer = new THREE.WebGPURenderer();
  await renderer.init();
  const scene = new THREE.Scene();
  const [scale, offset] = uv.map((pair) => TSL.vec2(...pair));
  const material = await NeuralMaterial.load({ uv: TSL.uv().mul(scale).add(offset), ...parameters });
  material.blending = THREE.NoBlending;
  const square = new THREE.Mesh(new THREE.PlaneGeometry(2, 2), material);
  square.rotation.set(...turn);
  scene.add(square);
  for (const [kind, intensity, position] of lights) {
    const light = new THREE[kind](0xffffff, intensity);
    light.position.set(...position);
    scene.add(light);
  }
  if (environment) {
    const white = new THREE.DataTexture(new Float32Array(4 * 32 * 16).fill(environment), 32, 16, THREE.RGBAFormat, THREE.FloatType);
    Object.assign(white, { mapping: THREE.EquirectangularReflectionMapping, needsUpdate: true });
    scene.environment = white;
  }
  const eye = new THREE.PerspectiveCamera(40, 1, 0.1, 10);
  eye.position.set(...camera);
  eye.lookAt(0, 0, 0);
  const target = new THREE.RenderTarget(side, side, { type: THREE.FloatType, depthBuffer: false });
  renderer.setRenderTarget(target);
  renderer.setClearColor(0x000000, 0);
  await renderer.renderAsync(scene, eye);
  const floats = await renderer.readRenderTargetPixelsAsync(target, 0, 0, side, side);
  const bytes = new Uint8Array(floats.buffer, floats.byteOffset, floats.byteLength);
  let text = '';
  for (let k = 0; k < bytes.length; k += 32768) text += String.fromCharCode(...bytes.subarray(k, k + 32768));
  return [btoa(text), eye.matrixWorld.elements, square.matrixWorld.elements];
}
