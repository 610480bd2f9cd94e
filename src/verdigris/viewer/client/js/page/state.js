// The state of the page: what is chosen, and how it stands in the address.

import { cameraFrom } from "./camera.js";

/**
 * material: its number. shape, environment: names. rotation: degrees. exposure: stops. level: a number, or -1: by
 * footprint. channel: the first of three. scale: a share of the screen's pixels, or "auto".
 * @typedef {{ material: number, shape: string, environment: string, rotation: number, background: boolean,
 *   compare: "neural" | "split" | "difference", split: number, view: string, channel: number, level: number,
 *   exposure: number, tone: string, scale: string, camera: import("./camera.js").Camera }} State
 */

export const VIEWS = ["picture", "levels", "latents", "learned", "normals", "albedo", "uv"];
export const TONES = ["none", "aces", "agx"];
export const COMPARES = ["neural", "split", "difference"];
const SCALES = ["auto", "1", "0.5", "0.25"];

/** @type {Record<string, number | string | boolean>} */
const DEFAULTS = {
  material: 0,
  shape: "sphere",
  environment: "studio",
  rotation: 0,
  background: true,
  compare: "neural",
  split: 0.5,
  view: "picture",
  channel: 0,
  level: -1,
  exposure: 0,
  tone: "agx",
  scale: "auto",
};

/** Numbers within bounds, names among those that there are. @param {any} catalogue @returns {Record<string, any>} */
function allowed(catalogue) {
  return {
    material: [0, catalogue.materials.length - 1],
    shape: Object.keys(catalogue.shapes),
    environment: Object.keys(catalogue.environments),
    rotation: [-180, 180],
    compare: COMPARES,
    split: [0, 1],
    view: VIEWS,
    channel: [0, 60],
    level: [-1, 14],
    exposure: [-6, 6],
    tone: TONES,
    scale: SCALES,
  };
}

export class Store extends EventTarget {
  /** @param {any} catalogue as the host describes what there is @param {string} hash of the address */
  constructor(catalogue, hash) {
    super();
    this.catalogue = catalogue;
    /** @type {State} */
    this.state = read(catalogue, new URLSearchParams(hash.replace(/^#/, "")));
  }

  /** Takes changes, and tells who listens to "change" their names. @param {Partial<State>} changes */
  set(changes) {
    const names = Object.keys(changes).filter((name) => /** @type {any} */ (changes)[name] !== /** @type {any} */ (this.state)[name]);
    if (!names.length) return;
    this.state = { ...this.state, ...changes };
    this.dispatchEvent(new CustomEvent("change", { detail: new Set(names) }));
  }

  /** The camera as a shape is first seen. @param {string} shape @returns {import("./camera.js").Camera} */
  firstCamera(shape) {
    return cameraFrom(this.catalogue.shapes[shape]);
  }

  /** What stands in the address: all that is not as it is at first. @returns {string} */
  hash() {
    const { camera, ...rest } = this.state;
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(rest)) if (value !== DEFAULTS[name]) query.set(name, String(value));
    const first = cameraNumbers(this.firstCamera(this.state.shape));
    const now = cameraNumbers(camera);
    if (now !== first) query.set("camera", now);
    return query.toString();
  }
}

/** @param {any} catalogue @param {URLSearchParams} query @returns {State} */
function read(catalogue, query) {
  const limits = allowed(catalogue);
  /** @type {Record<string, any>} */
  const state = { ...DEFAULTS };
  for (const name of Object.keys(DEFAULTS)) {
    const text = query.get(name);
    if (text === null) continue;
    if (typeof DEFAULTS[name] === "boolean") state[name] = text === "true";
    else if (typeof DEFAULTS[name] === "string") state[name] = limits[name].includes(text) ? text : DEFAULTS[name];
    else state[name] = bounded(Number(text), limits[name], Number(DEFAULTS[name]));
  }
  state.camera = readCamera(query.get("camera"), cameraFrom(catalogue.shapes[state.shape]));
  return /** @type {State} */ (state);
}

/** @param {number} value @param {number[]} limits @param {number} otherwise */
function bounded(value, [low, high], otherwise) {
  return value >= low && value <= high ? value : otherwise;
}

/** @param {import("./camera.js").Camera} camera */
function cameraNumbers(camera) {
  return [camera.azimuth, camera.elevation, camera.distance, ...camera.target].map((value) => Number(value.toFixed(4))).join(",");
}

/** @param {string | null} text @param {import("./camera.js").Camera} otherwise @returns {import("./camera.js").Camera} */
function readCamera(text, otherwise) {
  const numbers = (text ?? "").split(",").map(Number);
  if (numbers.length !== 6 || !numbers.every(Number.isFinite) || numbers[2] <= 0 || Math.abs(numbers[1]) > 1.571) return otherwise;
  const [azimuth, elevation, distance, ...target] = numbers;
  return { azimuth, elevation, distance, target, fov: otherwise.fov };
}
