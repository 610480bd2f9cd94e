// The WebGL 2 renderer, for browsers without WebGPU: direct light, sample by sample, without shadows.

import { drawDirections, lightTable } from "../data/environment.js";
import { radiusOf } from "../data/mesh.js";
import { displayMode } from "../page/renderer.js";
import { latentChannel, makeProgram } from "./programs.js";
import { floatTexture, latentTexture, makeTarget, skyTexture } from "./textures.js";

/** @import { Environment, LightTable } from "../data/environment.js" */
/** @import { Mesh } from "../data/mesh.js" */
/** @import { MaterialParts, Renderer, Shot } from "../page/renderer.js" */
/** @import { Program } from "./programs.js" */
/** @import { Target } from "./textures.js" */

const LIGHTS = 4;
const FILTER_DEVIATION = 0.5;

/** @implements {Renderer} */
export class WebGlRenderer {
  /** @param {HTMLCanvasElement} canvas @returns {Promise<WebGlRenderer | null>} null where there is no WebGL 2 that draws floats */
  static async create(canvas) {
    const gl = canvas.getContext("webgl2", { antialias: false, alpha: false, preserveDrawingBuffer: true });
    if (gl?.isContextLost()) await new Promise((resolve) => canvas.addEventListener("webglcontextrestored", resolve, { once: true }));
    if (!gl?.getExtension("EXT_color_buffer_float")) return null;
    const renderer = new WebGlRenderer(canvas, gl);
    renderer.programs = {
      backdrop: await makeProgram(gl, "cover.vert", ["sky", "backdrop.frag"]),
      add: await makeProgram(gl, "cover.vert", ["add.frag"]),
      display: await makeProgram(gl, "cover.vert", ["display.frag"]),
    };
    return renderer;
  }

  /** @param {HTMLCanvasElement} canvas @param {WebGL2RenderingContext} gl */
  constructor(canvas, gl) {
    this.kind = "WebGL 2";
    this.offersHalf = false;
    this.canvas = canvas;
    this.gl = gl;
    const info = gl.getExtension("WEBGL_debug_renderer_info");
    this.slow = /swiftshader|llvmpipe|software/i.test(String(gl.getParameter(info ? info.UNMASKED_RENDERER_WEBGL : gl.RENDERER)));
    this.samples = 0;
    this.bytes = 0;
    this.hasReference = false;
    /** @type {Record<string, Program>} */
    this.programs = {};
    /** @type {Promise<string>} */
    this.lost = new Promise((resolve) => {
      canvas.addEventListener("webglcontextlost", (event) => {
        event.preventDefault();
        resolve("the browser took the context away");
      }, { once: true });
    });
    /** @type {WebGLTexture | null} */
    this.reference = null;
    this.setReference(null);
  }

  /** @param {Mesh} mesh */
  setMesh(mesh) {
    const { gl } = this;
    const array = gl.createVertexArray();
    gl.bindVertexArray(array);
    [mesh.positions, mesh.normals, mesh.uvs].forEach((data, location) => {
      gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
      gl.bufferData(gl.ARRAY_BUFFER, data, gl.STATIC_DRAW);
      gl.enableVertexAttribArray(location);
      gl.vertexAttribPointer(location, location === 2 ? 2 : 3, gl.FLOAT, false, 0, 0);
    });
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, gl.createBuffer());
    gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, mesh.indices, gl.STATIC_DRAW);
    gl.bindVertexArray(null);
    this.mesh = { array, count: mesh.indices.length, radius: radiusOf(mesh), bytes: mesh.positions.length * 4 * 3 };
    this.restart();
  }

  /** @param {Environment} environment */
  setEnvironment(environment) {
    const { gl } = this;
    this.table = lightTable(environment);
    gl.deleteTexture(this.sky ?? null);
    gl.deleteTexture(this.density ?? null);
    this.sky = skyTexture(gl, environment);
    const densities = this.table.data.filter((_, k) => k % 3 === 2);
    this.density = floatTexture(gl, gl.R32F, gl.RED, this.table.width, this.table.height, densities);
    this.restart();
  }

  /** @param {MaterialParts} parts */
  async setMaterial(parts) {
    const { gl } = this;
    const light = await makeProgram(gl, "mesh.vert", ["sky", "place.frag", "light.frag"], parts.code);
    gl.deleteTexture(this.material?.latents ?? null);
    this.material = { parts, light, latents: latentTexture(gl, parts), view: /** @type {Program | null} */ (null) };
    this.bytes = parts.latents.byteLength;
    this.restart();
  }

  async prepareViews() {
    if (!this.material || this.material.view) return;
    const { code, channels } = this.material.parts;
    this.material.view = await makeProgram(this.gl, "mesh.vert", ["place.frag", "views.frag"], `${code}\n${latentChannel(channels)}`);
    this.restart();
  }

  /** @param {Float32Array | null} rgba of the canvas's size, linear, row 0 at the top */
  setReference(rgba) {
    const { gl } = this;
    gl.deleteTexture(this.reference);
    const [width, height] = rgba ? [this.canvas.width, this.canvas.height] : [1, 1];
    this.reference = floatTexture(gl, gl.RGBA32F, gl.RGBA, width, height, rgba);
    this.hasReference = Boolean(rgba);
  }

  /** @param {number} width @param {number} height */
  resize(width, height) {
    if (this.canvas.width === width && this.canvas.height === height && this.targets) return;
    const { gl } = this;
    this.canvas.width = width;
    this.canvas.height = height;
    for (const { texture, frame } of this.targets ?? []) {
      gl.deleteTexture(texture);
      gl.deleteFramebuffer(frame);
    }
    const depth = gl.createRenderbuffer();
    gl.bindRenderbuffer(gl.RENDERBUFFER, depth);
    gl.renderbufferStorage(gl.RENDERBUFFER, gl.DEPTH_COMPONENT24, width, height);
    this.targets = [makeTarget(gl, width, height, depth), makeTarget(gl, width, height, null), makeTarget(gl, width, height, null)];
    this.setReference(null);
    this.restart();
  }

  restart() {
    this.samples = 0;
  }

  get ready() {
    return Boolean(this.material && this.mesh && this.sky && this.targets);
  }

  /** @param {Shot} shot @param {number} count */
  async sample(shot, count) {
    const { gl, targets } = this;
    if (!this.ready || !targets || (shot.view !== 0 && !this.material?.view)) return;
    for (let k = 0; k < count; k++) {
      if (this.samples === 0) this.clear(targets[1]);
      this.drawSample(shot, targets[0]);
      this.accumulate(targets);
      this.samples++;
    }
    // Waits for the device, so that a sample's time is known.
    gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.FLOAT, new Float32Array(4));
  }

  /** @param {Shot} shot @param {Target} target */
  drawSample(shot, target) {
    const { gl, mesh, material } = this;
    if (!mesh || !material) return;
    const radius = FILTER_DEVIATION * Math.sqrt(-2 * Math.log(1 - Math.random()));
    const angle = 2 * Math.PI * Math.random();
    const shift = [radius * Math.cos(angle), radius * Math.sin(angle)];
    this.clear(target);
    if (shot.background && shot.view === 0) {
      this.use(this.programs.backdrop, shot, shift);
      gl.drawArrays(gl.TRIANGLES, 0, 3);
    }
    const program = shot.view === 0 ? material.light : /** @type {Program} */ (material.view);
    this.use(program, shot, shift);
    gl.uniform2f(program.at.range, ...depthRange(shot.camera.origin, mesh.radius));
    gl.uniform4ui(program.at.counts, this.samples, LIGHTS, shot.level === null ? 0 : shot.level + 1, shot.view);
    gl.uniform1f(program.at.footprint, shot.footprint);
    gl.uniform1ui(program.at.channel ?? null, shot.channel);
    gl.uniform4fv(program.at.lights ?? null, drawDirections(/** @type {LightTable} */ (this.table), LIGHTS, shot.rotation));
    this.bind(program, "vd_latents", 2, gl.TEXTURE_2D_ARRAY, material.latents);
    gl.enable(gl.DEPTH_TEST);
    gl.bindVertexArray(mesh.array);
    gl.drawElements(gl.TRIANGLES, mesh.count, gl.UNSIGNED_INT, 0);
    gl.bindVertexArray(null);
    gl.disable(gl.DEPTH_TEST);
  }

  /** @param {Program} program @param {Shot} shot @param {number[]} shift */
  use(program, { camera, rotation }, shift) {
    const { gl, canvas } = this;
    gl.useProgram(program.handle);
    gl.uniform4f(program.at.origin, camera.origin[0], camera.origin[1], camera.origin[2], camera.tangent);
    gl.uniform3fv(program.at.right, camera.right);
    gl.uniform3fv(program.at.up, camera.up);
    gl.uniform3fv(program.at.forward, camera.forward);
    gl.uniform2f(program.at.size, canvas.width, canvas.height);
    gl.uniform2fv(program.at.shift, shift);
    gl.uniform2f(program.at.rotation ?? null, Math.cos(rotation), Math.sin(rotation));
    this.bind(program, "sky", 0, gl.TEXTURE_2D, this.sky ?? null);
    this.bind(program, "density", 1, gl.TEXTURE_2D, this.density ?? null);
  }

  /** @param {Target[]} targets the sample, the sums, and the sums to be */
  accumulate(targets) {
    const { gl, programs: { add } } = this;
    gl.bindFramebuffer(gl.FRAMEBUFFER, targets[2].frame);
    gl.useProgram(add.handle);
    this.bind(add, "before", 0, gl.TEXTURE_2D, targets[1].texture);
    this.bind(add, "added", 1, gl.TEXTURE_2D, targets[0].texture);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
    [targets[1], targets[2]] = [targets[2], targets[1]];
  }

  /** @param {Shot} shot */
  show(shot) {
    const { gl, programs: { display }, targets } = this;
    if (!targets) return;
    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
    gl.viewport(0, 0, this.canvas.width, this.canvas.height);
    gl.useProgram(display.handle);
    gl.uniform4f(display.at.show, 2 ** shot.exposure, shot.split, this.samples, shot.gain);
    gl.uniform2i(display.at.choice, shot.tone, displayMode(this, shot));
    this.bind(display, "sums", 0, gl.TEXTURE_2D, targets[1].texture);
    this.bind(display, "reference", 1, gl.TEXTURE_2D, this.reference);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
  }

  /** @returns {Promise<Float32Array>} as the WebGPU renderer's */
  async read() {
    const { gl, canvas: { width, height }, targets } = this;
    const rows = new Float32Array(width * height * 4);
    gl.bindFramebuffer(gl.FRAMEBUFFER, /** @type {Target[]} */ (targets)[1].frame);
    gl.readPixels(0, 0, width, height, gl.RGBA, gl.FLOAT, rows);
    const result = new Float32Array(rows.length);
    for (let y = 0; y < height; y++) result.set(rows.subarray(y * width * 4, (y + 1) * width * 4), (height - 1 - y) * width * 4);
    return result.map((value) => value / Math.max(this.samples, 1));
  }

  destroy() {
    this.gl.getExtension("WEBGL_lose_context")?.loseContext();
  }

  /** @param {Target} target */
  clear(target) {
    const { gl } = this;
    gl.bindFramebuffer(gl.FRAMEBUFFER, target.frame);
    gl.viewport(0, 0, this.canvas.width, this.canvas.height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
  }

  /** @param {Program} program @param {string} name @param {number} unit @param {number} kind @param {WebGLTexture | null} texture */
  bind(program, name, unit, kind, texture) {
    if (program.at[name] === undefined) return;
    this.gl.activeTexture(this.gl.TEXTURE0 + unit);
    this.gl.bindTexture(kind, texture);
    this.gl.uniform1i(program.at[name], unit);
  }
}

/** @param {number[]} origin @param {number} radius @returns {[number, number]} */
function depthRange(origin, radius) {
  const distance = Math.hypot(...origin);
  return [Math.max(distance - radius, 0.002 * (distance + radius)), 1.01 * (distance + radius)];
}
