// The loop: loads what the state asks for, adds samples, shows the picture.

import { fetchBytes, fetchText } from "../data/fetching.js";
import { loadEnvironment } from "../data/environment.js";
import { loadMesh } from "../data/mesh.js";
import { viewOf } from "./camera.js";
import { complain, say } from "./messages.js";
import { toggle } from "./panel.js";
import { ReferencePictures } from "./reference.js";
import { makeRenderer } from "./choose.js";
import { COMPARES, TONES, VIEWS } from "./state.js";
import { showStatistics } from "./statistics.js";

/** @import { Renderer, Shot } from "./renderer.js" */
/** @import { Store } from "./state.js" */
/** @import { Environment } from "../data/environment.js" */
/** @import { Mesh } from "../data/mesh.js" */

const SAMPLES_MAX = 16384;
const FRAME_MS = 30;
const SAMPLES_AT_ONCE = 16;
const SLOW_PIXELS = 240 * 240;
const DEPTH = 8;
const FOOTPRINT = 0.5;
const DIFFERENCE_GAIN = 4;
/** State that changes how a picture is shown, not what is in it. */
const SHOWN_ONLY = new Set(["exposure", "tone", "split", "compare"]);

export class Viewer {
  /**
   * @param {Store} store
   * @param {{ renderer: string | null, side: number | null }} options renderer: asked for. side: of a square picture, pixels
   */
  constructor(store, options) {
    this.store = store;
    this.options = options;
    this.canvas = /** @type {HTMLCanvasElement} */ (document.getElementById("picture"));
    /** @type {Renderer | null} */
    this.renderer = null;
    this.milliseconds = 0;
    /** Until the first picture, since the page was asked for. */
    this.firstPicture = 0;
    this.waiting = new Set(["material", "shape", "environment"]);
    /** What the user gave, by name. @type {Map<string, Mesh>} */
    this.givenMeshes = new Map();
    /** @type {Map<string, Environment>} */
    this.givenLights = new Map();
    this.reference = new ReferencePictures(store, (rgba) => this.renderer?.setReference(rgba));
    store.addEventListener("change", (event) => this.changed(/** @type {CustomEvent} */ (event).detail));
  }

  /** Runs for as long as the page is open. */
  async run() {
    await this.begin();
    for (;;) {
      await this.frame().catch(complain);
      await new Promise(requestAnimationFrame);
    }
  }

  /** Gets a renderer; again when a device is lost. */
  async begin() {
    this.renderer = await makeRenderer(this.canvas, this.options.renderer);
    const { renderer } = this;
    if (!renderer) throw new Error("this browser has neither WebGPU nor WebGL 2 with float textures");
    if (renderer.kind !== "WebGPU") say(`${this.options.renderer ? "As asked for" : "This browser has no WebGPU"}: WebGL 2, direct light without shadows.`);
    this.waiting = new Set(["material", "shape", "environment"]);
    toggle("half-row", renderer.offersHalf);
    renderer.lost.then((reason) => this.recover(renderer, reason));
  }

  /** @param {Renderer} lost @param {string} reason */
  async recover(lost, reason) {
    if (lost !== this.renderer) return;
    this.renderer = null;
    say(`The graphics device was lost (${reason}): starting again.`, "error");
    await this.begin().catch(complain);
  }

  /** @param {Set<string>} names */
  changed(names) {
    for (const name of ["material", "shape", "environment"]) if (names.has(name)) this.waiting.add(name);
    if (names.has("half")) this.waiting.add("material");
    if ([...names].some((name) => !SHOWN_ONLY.has(name))) this.renderer?.restart();
    if (names.has("shape") && !names.has("camera")) this.store.set({ camera: this.store.firstCamera(this.store.state.shape) });
    this.reference.changed(names);
  }

  async frame() {
    const { renderer } = this;
    if (!renderer) return;
    const { width, height } = this.canvas;
    this.fit();
    if (this.canvas.width !== width || this.canvas.height !== height) this.reference.changed(new Set(["size"]));
    await this.load();
    const shot = this.shot();
    if (shot.view !== 0) await renderer.prepareViews();
    if (renderer.ready && renderer.samples < SAMPLES_MAX) {
      const fitting = this.milliseconds ? Math.floor(FRAME_MS / this.milliseconds) : 1;
      const count = Math.max(1, Math.min(SAMPLES_AT_ONCE, fitting));
      const start = performance.now();
      await renderer.sample(shot, count);
      const each = (performance.now() - start) / count;
      this.milliseconds = this.milliseconds ? 0.8 * this.milliseconds + 0.2 * each : each;
    }
    if (renderer !== this.renderer) return;
    renderer.show(this.shot());
    if (renderer.samples && !this.firstPicture) this.firstPicture = performance.now();
    showStatistics(this);
  }

  /** Loads what has been chosen since; the shape and the light at once, then the material. */
  async load() {
    const names = [...this.waiting];
    if (!names.length || !this.renderer) return;
    this.waiting.clear();
    const results = await Promise.allSettled(names.map((name) => this.loadOne(name)));
    for (const result of results) if (result.status === "rejected") complain(result.reason);
  }

  /** @param {string} name */
  async loadOne(name) {
    const { renderer, store: { state } } = this;
    if (!renderer) return;
    if (name === "shape") renderer.setMesh(this.givenMeshes.get(state.shape) ?? (await loadMesh(`shapes/${state.shape}.mesh`)));
    if (name === "environment") {
      renderer.setEnvironment(this.givenLights.get(state.environment) ?? (await loadEnvironment(`environments/${state.environment}.sky`)));
    }
    if (name === "material") await this.loadMaterial(renderer);
  }

  /** Whether the networks run in 16 bits. */
  get half() {
    return Boolean(this.renderer?.offersHalf && this.store.state.half);
  }

  /** @param {Renderer} renderer @returns {string} */
  shaderName(renderer) {
    if (renderer.kind !== "WebGPU") return "material.glsl";
    return this.half ? "material.half.wgsl" : "material.wgsl";
  }

  /** @param {Renderer} renderer */
  async loadMaterial(renderer) {
    const entry = this.store.catalogue.materials[this.store.state.material];
    const [code, latents] = await Promise.all([fetchText(`${entry.folder}/${this.shaderName(renderer)}`), fetchBytes(`${entry.folder}/latents.bin`)]);
    await renderer.setMaterial({ ...entry, code, latents });
  }

  /** The picture's size: that of the screen's pixels, less where that is asked for or the device is slow. */
  fit() {
    const { renderer, canvas } = this;
    if (!renderer) return;
    const { side } = this.options;
    if (side) return renderer.resize(side, side);
    const { scale } = this.store.state;
    let factor = devicePixelRatio * (scale === "auto" ? 1 : Number(scale));
    const pixels = canvas.clientWidth * canvas.clientHeight * factor * factor;
    if (scale === "auto" && renderer.slow) factor *= Math.min(1, Math.sqrt(SLOW_PIXELS / Math.max(pixels, 1)));
    renderer.resize(Math.max(1, Math.round(canvas.clientWidth * factor)), Math.max(1, Math.round(canvas.clientHeight * factor)));
  }

  /** @returns {Shot} */
  shot() {
    const { state } = this.store;
    return {
      camera: viewOf(state.camera),
      rotation: (state.rotation * Math.PI) / 180,
      level: state.level < 0 ? null : state.level,
      view: VIEWS.indexOf(state.view),
      channel: state.channel,
      footprint: FOOTPRINT,
      depth: DEPTH,
      background: state.background,
      tone: TONES.indexOf(state.tone),
      exposure: state.exposure,
      split: state.split,
      gain: DIFFERENCE_GAIN,
      compare: COMPARES.includes(state.compare) ? state.compare : "neural",
    };
  }

  /** The picture as it is shown. @returns {Promise<Blob>} a PNG */
  screenshot() {
    this.renderer?.show(this.shot());
    return new Promise((resolve, reject) => this.canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("no picture to save")))));
  }
}
