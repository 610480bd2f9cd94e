// Hands on the picture: mouse, touch and keys turn, move and zoom the camera.

import { orbited, panned, zoomed } from "./camera.js";

/** @import { Store } from "./state.js" */

const TURN = 5;
const KEY_STEP = 0.08;

/** @param {HTMLElement} element @param {Store} store */
export function bindControls(element, store) {
  /** @type {Map<number, { x: number, y: number }>} */
  const held = new Map();
  element.addEventListener("pointerdown", (event) => {
    element.setPointerCapture(event.pointerId);
    held.set(event.pointerId, { x: event.clientX, y: event.clientY });
  });
  for (const name of ["pointerup", "pointercancel"]) {
    element.addEventListener(name, (event) => held.delete(/** @type {PointerEvent} */ (event).pointerId));
  }
  element.addEventListener("pointermove", (event) => move(event, held, element, store));
  element.addEventListener("contextmenu", (event) => event.preventDefault());
  element.addEventListener("wheel", (event) => {
    event.preventDefault();
    store.set({ camera: zoomed(store.state.camera, Math.exp(event.deltaY * 0.001)) });
  }, { passive: false });
  element.addEventListener("keydown", (event) => press(event, store));
}

/** @param {PointerEvent} event @param {Map<number, { x: number, y: number }>} held @param {HTMLElement} element @param {Store} store */
function move(event, held, element, store) {
  const before = held.get(event.pointerId);
  if (!before) return;
  const now = { x: event.clientX, y: event.clientY };
  const size = Math.min(element.clientWidth, element.clientHeight) || 1;
  const [right, down] = [(now.x - before.x) / size, (now.y - before.y) / size];
  let { camera } = store.state;
  if (held.size === 2) {
    const [other] = [...held].filter(([id]) => id !== event.pointerId).map(([, place]) => place);
    camera = zoomed(camera, distance(before, other) / Math.max(distance(now, other), 1));
    camera = panned(camera, -right / 2, down / 2);
  } else if (event.buttons & 2 || event.shiftKey) {
    camera = panned(camera, -right, down);
  } else {
    camera = orbited(camera, -right * TURN, down * TURN);
  }
  held.set(event.pointerId, now);
  store.set({ camera });
}

/** @param {{ x: number, y: number }} a @param {{ x: number, y: number }} b */
function distance(a, b) {
  return Math.hypot(a.x - b.x, a.y - b.y);
}

/** @type {Record<string, number[]>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

/** @param {KeyboardEvent} event @param {Store} store */
function press(event, store) {
  const { camera, shape } = store.state;
  const arrow = ARROWS[event.key];
  if (arrow) {
    const [right, up] = arrow.map((step) => step * KEY_STEP);
    store.set({ camera: event.shiftKey ? panned(camera, right, up) : orbited(camera, right, up) });
  } else if (event.key === "+" || event.key === "=") {
    store.set({ camera: zoomed(camera, 0.9) });
  } else if (event.key === "-") {
    store.set({ camera: zoomed(camera, 1 / 0.9) });
  } else if (event.key === "Home") {
    store.set({ camera: store.firstCamera(shape) });
  } else {
    return;
  }
  event.preventDefault();
}
