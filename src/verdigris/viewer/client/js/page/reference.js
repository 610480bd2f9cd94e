// Pictures of the reference, which the server renders as the page sees the material.

import { Refused } from "../data/fetching.js";
import { halfTable } from "../data/half.js";
import { viewOf } from "./camera.js";
import { complain } from "./messages.js";
import { toggle } from "./panel.js";

/** @import { Store } from "./state.js" */

const PATIENCE_MS = 350;
const SPP = 1024;
/** State that a reference's picture does not depend on. */
const APART = new Set(["exposure", "tone", "split", "view", "channel", "level", "background", "half"]);

export class ReferencePictures {
  /** @param {Store} store @param {(rgba: Float32Array | null) => void} show */
  constructor(store, show) {
    this.store = store;
    this.show = show;
    this.samples = 0;
    /** @type {AbortController | null} */
    this.running = null;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    /** @type {{ width: number, height: number } | null} */
    this.size = null;
    this.note();
  }

  /** Asks for new pictures where the old ones no longer fit. @param {Set<string>} names of the state that changed */
  changed(names) {
    this.seam();
    if ([...names].every((name) => APART.has(name))) return;
    this.stop();
    this.note();
    if (this.store.state.compare !== "neural" && !this.obstacle()) this.timer = setTimeout(() => this.begin().catch(complain), PATIENCE_MS);
  }

  stop() {
    clearTimeout(this.timer);
    this.running?.abort();
    this.running = null;
    this.samples = 0;
    this.show(null);
  }

  /** Why there can be no reference, in a line; empty where there can. @returns {string} */
  obstacle() {
    const { catalogue, state } = this.store;
    if (!catalogue.live) return "The reference needs the viewer's server: verdigris view ASSET.";
    if (!catalogue.materials[state.material]?.reference) return "The reference needs the material's source: verdigris view ASSET --source SOURCE.";
    if (catalogue.shapes[state.shape].given || catalogue.environments[state.environment].given) return "The reference is rendered for the page's own shapes and lights.";
    return "";
  }

  note() {
    const place = /** @type {HTMLElement} */ (document.getElementById("reference-note"));
    const { compare } = this.store.state;
    const waiting = this.samples ? `Reference: ${this.samples} samples a pixel.` : "The reference is being rendered.";
    place.textContent = this.obstacle() || (compare === "neural" ? "" : waiting);
    const split = compare === "split" && !this.obstacle();
    toggle("split", split);
    toggle("labels", split);
    toggle("seam", split);
    this.seam();
  }

  /** Puts the line between reference and neural material where the picture changes, which may be narrower than its canvas. */
  seam() {
    const canvas = /** @type {HTMLCanvasElement} */ (document.getElementById("picture"));
    const shown = Math.min(canvas.clientWidth, (canvas.clientHeight * canvas.width) / canvas.height);
    const line = /** @type {HTMLElement} */ (document.getElementById("seam"));
    line.style.left = `${(canvas.clientWidth - shown) / 2 + this.store.state.split * shown}px`;
  }

  async begin() {
    const { state } = this.store;
    const canvas = /** @type {HTMLCanvasElement} */ (document.getElementById("picture"));
    const running = new AbortController();
    this.running = running;
    const { origin } = viewOf(state.camera);
    const query = new URLSearchParams({
      material: String(state.material),
      shape: state.shape,
      environment: state.environment,
      origin: origin.join(","),
      target: state.camera.target.join(","),
      fov: String(state.camera.fov),
      rotation: String(state.rotation),
      width: String(canvas.width),
      height: String(canvas.height),
      spp: String(SPP),
    });
    try {
      const answer = await fetch(`reference?${query}`, { signal: running.signal });
      if (!answer.ok) throw new Refused(`reference: ${await answer.text()}`);
      await this.receive(/** @type {ReadableStream<Uint8Array>} */ (answer.body).getReader(), canvas);
    } catch (error) {
      if (!running.signal.aborted) throw error;
    }
  }

  /** @param {ReadableStreamDefaultReader<Uint8Array>} reader @param {HTMLCanvasElement} canvas */
  async receive(reader, canvas) {
    const size = 16 + canvas.width * canvas.height * 6;
    const picture = new Uint8Array(size);
    let filled = 0;
    for (;;) {
      const { done, value } = await reader.read();
      if (done || !value) return;
      for (let start = 0; start < value.length; ) {
        const count = Math.min(size - filled, value.length - start);
        picture.set(value.subarray(start, start + count), filled);
        start += count;
        filled += count;
        if (filled < size) continue;
        filled = 0;
        this.take(picture, canvas);
      }
    }
  }

  /** @param {Uint8Array} picture @param {HTMLCanvasElement} canvas */
  take(picture, canvas) {
    const [samples, width, height] = new Uint32Array(picture.buffer, 0, 3);
    if (width !== canvas.width || height !== canvas.height) return;
    const values = halfTable();
    const halves = new Uint16Array(picture.buffer, 16);
    const rgba = new Float32Array(width * height * 4);
    for (let k = 0; k < width * height; k++) {
      for (let channel = 0; channel < 3; channel++) rgba[4 * k + channel] = values[halves[3 * k + channel]];
    }
    this.samples = samples;
    this.show(rgba);
    this.note();
  }
}
