// A sphere of the material under one light and a room.

import * as THREE from 'three/webgpu';
import { OrbitControls } from 'three/addons/controls/OrbitControls.js';
import { RoomEnvironment } from 'three/addons/environments/RoomEnvironment.js';
import { NeuralMaterial } from './material.js';

async function show() {
  if (!navigator.gpu) throw new Error('This page needs a browser with WebGPU.');
  const renderer = new THREE.WebGPURenderer({ antialias: true });
  await renderer.init();
  renderer.toneMapping = THREE.ACESFilmicToneMapping;
  renderer.setSize(window.innerWidth, window.innerHeight);
  document.body.append(renderer.domElement);

  const scene = new THREE.Scene();
  const camera = new THREE.PerspectiveCamera(30, window.innerWidth / window.innerHeight, 0.1, 100);
  camera.position.set(0, 0.8, 5);
  scene.environment = new THREE.PMREMGenerator(renderer).fromScene(new RoomEnvironment(), 0.02).texture;
  const sun = new THREE.DirectionalLight(0xffffff, 2);
  sun.position.set(2, 3, 4);
  scene.add(sun, new THREE.Mesh(new THREE.SphereGeometry(1, 128, 64), await NeuralMaterial.load()));

  // Nothing moves by itself: a picture is drawn when the view changes.
  const draw = () => renderer.render(scene, camera);
  new OrbitControls(camera, renderer.domElement).addEventListener('change', draw);
  window.addEventListener('resize', () => {
    camera.aspect = window.innerWidth / window.innerHeight;
    camera.updateProjectionMatrix();
    renderer.setSize(window.innerWidth, window.innerHeight);
    draw();
  });
  draw();
}

show().catch((error) => { document.getElementById('message').textContent = error.message; });
