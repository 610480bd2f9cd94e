// The state of the page: what is chosen, and how it stands in the address.

import { cameraFrom } from "./camera.js";

/** @import { Camera } from "./camera.js" */
/** @import { Catalogue } from "../data/catalogue.js" */

/**
 * material: its number. shape, environment: names. rotation: degrees. exposure: stops. level: a number, or -1: by
 * footprint. channel: the first of three. scale: a share of the screen's pixels, or "auto". half: whether networks run in
 * 16 bits where the device can.
 * @typedef {{ material: number, shape: string, environment: string, rotation: number, background: boolean,
 *   compare: "neural" | "split" | "difference", split: number, view: string, channel: number, level: number,
 *   exposure: number, tone: string, scale: string, half: boolean, camera: Camera }} State
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
  half: true,
};

/** Lowest and highest of the numbers. @param {Catalogue} catalogue @returns {Record<string, number[]>} */
function bounds(catalogue) {
  return {
    material: [0, catalogue.materials.length - 1],
    rotation: [-180, 180],
    split: [0, 1],
    channel: [0, Infinity],
    level: [-1, Infinity],
    exposure: [-6, 6],
  };
}

/** The names that there are. @param {Catalogue} catalogue @returns {Record<string, string[]>} */
function names(catalogue) {
  return {
    shape: Object.keys(catalogue.shapes),
    environment: Object.keys(catalogue.environments),
    compare: COMPARES,
    view: VIEWS,
    tone: TONES,
    scale: SCALES,
  };
}

export class Store extends EventTarget {
  /** @param {Catalogue} catalogue @param {string} hash of the address */
  constructor(catalogue, hash) {
    super();
    this.catalogue = catalogue;
    /** @type {State} */
    this.state = fitted(catalogue, read(catalogue, new URLSearchParams(hash.replace(/^#/, ""))));
  }

  /** Takes changes, and tells who listens to "change" their names. @param {Partial<State>} changes */
  set(changes) {
    /** @type {Record<string, unknown>} */
    const before = { ...this.state };
    const after = fitted(this.catalogue, { ...this.state, ...changes });
    const names = Object.entries(after).flatMap(([name, value]) => (value === before[name] ? [] : [name]));
    if (!names.length) return;
    this.state = after;
    this.dispatchEvent(new CustomEvent("change", { detail: new Set(names) }));
  }

  /** The camera as a shape is first seen. @param {string} shape @returns {Camera} */
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

/** The state with a level and channels that its material has. @param {Catalogue} catalogue @param {State} state @returns {State} */
function fitted({ materials }, state) {
  const { levels, channels } = materials[state.material] ?? { levels: 1, channels: 3 };
  return { ...state, level: Math.min(state.level, levels - 1), channel: Math.min(state.channel, Math.max(channels - 3, 0)) };
}

/** @param {Catalogue} catalogue @param {URLSearchParams} query @returns {State} */
function read(catalogue, query) {
  const [limits, known] = [bounds(catalogue), names(catalogue)];
  const state = { ...DEFAULTS };
  for (const [name, first] of Object.entries(DEFAULTS)) {
    const text = query.get(name);
    if (text === null) continue;
    if (typeof first === "boolean") state[name] = text === "true";
    else if (typeof first === "string") state[name] = known[name].includes(text) ? text : first;
    else state[name] = bounded(Number(text), limits[name], first);
  }
  const camera = readCamera(query.get("camera"), cameraFrom(catalogue.shapes[String(state.shape)]));
  return /** @type {State} */ ({ ...state, camera });
}

/** @param {number} value @param {number[]} limits @param {number} otherwise */
function bounded(value, [low, high], otherwise) {
  return value >= low && value <= high ? value : otherwise;
}

/** @param {Camera} camera */
function cameraNumbers(camera) {
  return [camera.azimuth, camera.elevation, camera.distance, ...camera.target].map((value) => Number(value.toFixed(4))).join(",");
}

/** @param {string | null} text @param {Camera} otherwise @returns {Camera} */
function readCamera(text, otherwise) {
  const numbers = (text ?? "").split(",").map(Number);
  if (numbers.length !== 6 || !numbers.every(Number.isFinite) || numbers[2] <= 0 || Math.abs(numbers[1]) > 1.571) return otherwise;
  const [azimuth, elevation, distance, ...target] = numbers;
  return { azimuth, elevation, distance, target, fov: otherwise.fov };
}
