// The WebGPU renderer: path-traces a material on a mesh under an environment, sample by sample.

import { buildBvh } from "../data/bvh.js";
import { lightTable } from "../data/environment.js";
import { Refused } from "../data/fetching.js";
import { displayUniforms, frameUniforms } from "./uniforms.js";
import { displayShader, pathShader, viewShader } from "./shaders.js";

/** @import { Environment } from "../data/environment.js" */
/** @import { Mesh } from "../data/mesh.js" */
/** @import { MaterialParts, Renderer, Shot } from "../page/renderer.js" */

const GROUP = 8;
const FORMAT = "rgba8unorm";
const HALF = "shader-f16";

/** @implements {Renderer} */
export class WebGpuRenderer {
  /** @param {HTMLCanvasElement} canvas @returns {Promise<WebGpuRenderer | null>} null where there is no WebGPU */
  static async create(canvas) {
    const adapter = await navigator.gpu?.requestAdapter({ powerPreference: "high-performance" });
    if (!adapter) return null;
    const { maxStorageBufferBindingSize, maxBufferSize } = adapter.limits;
    /** @type {GPUFeatureName[]} */
    const requiredFeatures = adapter.features.has(HALF) ? [HALF] : [];
    const device = await adapter.requestDevice({ requiredFeatures, requiredLimits: { maxStorageBufferBindingSize, maxBufferSize } }).catch(() => null);
    if (!device) return null;
    const context = canvas.getContext("webgpu");
    if (!context) return null;
    const renderer = new WebGpuRenderer(canvas, device, context, adapter);
    await renderer.makeDisplay();
    return renderer;
  }

  /** @param {HTMLCanvasElement} canvas @param {GPUDevice} device @param {GPUCanvasContext} context @param {GPUAdapter} adapter */
  constructor(canvas, device, context, adapter) {
    this.kind = "WebGPU";
    this.offersHalf = device.features.has(HALF);
    this.canvas = canvas;
    this.device = device;
    this.context = context;
    this.slow = Boolean(adapter.info?.isFallbackAdapter) || /swiftshader|llvmpipe|google/i.test(`${adapter.info?.vendor} ${adapter.info?.description}`);
    this.samples = 0;
    this.bytes = 0;
    /** @type {GPUBindGroup[] | null} */
    this.groups = null;
    /** @type {Record<string, GPUBuffer>} */
    this.buffers = {};
    this.lost = device.lost.then((info) => info.message || info.reason);
    context.configure({ device, format: FORMAT, alphaMode: "opaque" });
    this.sampler = device.createSampler({ addressModeU: "repeat", addressModeV: "clamp-to-edge", magFilter: "linear", minFilter: "linear" });
    this.layouts = makeLayouts(device);
    this.buffers.frame = this.uniform(7 * 16);
    this.buffers.display = this.uniform(32);
  }

  async makeDisplay() {
    const module = this.device.createShaderModule({ code: await displayShader() });
    this.display = await this.device.createRenderPipelineAsync({
      layout: this.device.createPipelineLayout({ bindGroupLayouts: [this.layouts.display] }),
      vertex: { module, entryPoint: "cover" },
      fragment: { module, entryPoint: "show", targets: [{ format: FORMAT }] },
      primitive: { topology: "triangle-list" },
    });
  }

  /** @param {Mesh} mesh */
  setMesh(mesh) {
    const bvh = buildBvh(mesh);
    this.storage("nodes", bvh.nodes);
    this.storage("triangles", bvh.triangles);
    this.storage("vertices", packVertices(mesh));
    this.restart();
  }

  /** @param {Environment} environment */
  setEnvironment(environment) {
    const table = lightTable(environment);
    const { width, height, half } = environment;
    this.storage("texels", table.data);
    this.table = table;
    this.sky?.destroy();
    this.sky = this.device.createTexture({ size: [width, height], format: "rgba16float", usage: GPUTextureUsage.TEXTURE_BINDING | GPUTextureUsage.COPY_DST });
    this.device.queue.writeTexture({ texture: this.sky }, half, { bytesPerRow: width * 8 }, [width, height]);
    this.restart();
  }

  /** Ready once the kernel is compiled; until then the old material stays. @param {MaterialParts} parts */
  async setMaterial(parts) {
    const path = await this.pipeline(await pathShader(parts.code), "path_trace");
    this.storage("latents", new Uint8Array(parts.latents));
    this.material = { parts, path, view: /** @type {GPUComputePipeline | null} */ (null) };
    this.restart();
  }

  /** Compiles what the views need, once it is asked for. */
  async prepareViews() {
    const material = this.material;
    if (!material || material.view) return;
    const code = await viewShader(material.parts.code, material.parts.channels);
    material.view = await this.pipeline(code, "draw_view");
    this.restart();
  }

  /** @param {Float32Array | null} rgba of the canvas's size, linear */
  setReference(rgba) {
    this.storage("reference", rgba ?? new Float32Array(4));
    this.hasReference = Boolean(rgba);
  }

  /** @param {number} width @param {number} height in pixels */
  resize(width, height) {
    if (this.canvas.width === width && this.canvas.height === height && this.buffers.picture) return;
    this.canvas.width = width;
    this.canvas.height = height;
    this.storage("picture", new Float32Array(width * height * 4));
    this.setReference(null);
    this.restart();
  }

  restart() {
    this.samples = 0;
    this.groups = null;
  }

  /** Whether there is all that a picture needs. */
  get ready() {
    const { nodes, picture, texels } = this.buffers;
    return Boolean(this.material && nodes && picture && texels);
  }

  /** Adds samples to the picture and waits for them. @param {Shot} shot @param {number} count */
  async sample(shot, count) {
    const pipeline = shot.view === 0 ? this.material?.path : this.material?.view;
    if (!this.ready || !pipeline) return;
    const { queue } = this.device;
    for (let k = 0; k < count; k++) {
      queue.writeBuffer(this.buffers.frame, 0, frameUniforms(this, shot));
      const encoder = this.device.createCommandEncoder();
      if (this.samples === 0) encoder.clearBuffer(this.buffers.picture);
      const pass = encoder.beginComputePass();
      pass.setPipeline(pipeline);
      this.bindGroups().forEach((group, index) => pass.setBindGroup(index, group));
      pass.dispatchWorkgroups(Math.ceil(this.canvas.width / GROUP), Math.ceil(this.canvas.height / GROUP));
      pass.end();
      queue.submit([encoder.finish()]);
      this.samples++;
    }
    await queue.onSubmittedWorkDone();
  }

  /** Shows what there is. @param {Shot} shot */
  show(shot) {
    if (!this.display || !this.buffers.picture) return;
    this.device.queue.writeBuffer(this.buffers.display, 0, displayUniforms(this, shot));
    const encoder = this.device.createCommandEncoder();
    const attachment = { view: this.context.getCurrentTexture().createView(), loadOp: /** @type {const} */ ("clear"), storeOp: /** @type {const} */ ("store") };
    const pass = encoder.beginRenderPass({ colorAttachments: [attachment] });
    pass.setPipeline(this.display);
    pass.setBindGroup(0, this.group(this.layouts.display, ["display", "picture", "reference"]));
    pass.draw(3);
    pass.end();
    this.device.queue.submit([encoder.finish()]);
  }

  /** The mean of all samples, linear RGBA, for tests and for `.exr`-like uses. @returns {Promise<Float32Array>} */
  async read() {
    const { buffers: { picture }, samples } = this;
    const copy = this.device.createBuffer({ size: picture.size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
    const encoder = this.device.createCommandEncoder();
    encoder.copyBufferToBuffer(picture, 0, copy, 0, picture.size);
    this.device.queue.submit([encoder.finish()]);
    await copy.mapAsync(GPUMapMode.READ);
    const sums = new Float32Array(copy.getMappedRange().slice(0));
    copy.destroy();
    return sums.map((value) => value / Math.max(samples, 1));
  }

  destroy() {
    this.device.destroy();
  }

  /** @param {string} code @param {string} entryPoint */
  async pipeline(code, entryPoint) {
    const module = this.device.createShaderModule({ code });
    const layout = this.device.createPipelineLayout({ bindGroupLayouts: [this.layouts.scene, this.layouts.material] });
    try {
      return await this.device.createComputePipelineAsync({ layout, compute: { module, entryPoint } });
    } catch (error) {
      const first = (await module.getCompilationInfo()).messages.find((message) => message.type === "error");
      throw new Refused(`material: its shader was refused: ${first ? `line ${first.lineNum}: ${first.message}` : error}`);
    }
  }

  bindGroups() {
    this.groups ??= [
      this.group(this.layouts.scene, ["frame", "picture", "nodes", "triangles", "vertices", "texels"], [/** @type {GPUTexture} */ (this.sky).createView(), this.sampler]),
      this.group(this.layouts.material, ["latents"]),
    ];
    return this.groups;
  }

  /** @param {GPUBindGroupLayout} layout @param {string[]} names of buffers @param {(GPUTextureView | GPUSampler)[]} others */
  group(layout, names, others = []) {
    const resources = [...names.map((name) => ({ buffer: this.buffers[name] })), ...others];
    return this.device.createBindGroup({ layout, entries: resources.map((resource, binding) => ({ binding, resource })) });
  }

  /** @param {number} size in bytes */
  uniform(size) {
    return this.device.createBuffer({ size, usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST });
  }

  /** Puts data into the buffer of that name, in place of what it held. @param {string} name @param {Float32Array | Uint8Array} data */
  storage(name, data) {
    this.bytes += data.byteLength - (this.buffers[name]?.size ?? 0);
    this.buffers[name]?.destroy();
    const size = Math.ceil(data.byteLength / 16) * 16;
    const buffer = this.device.createBuffer({ size, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC, mappedAtCreation: true });
    new Uint8Array(buffer.getMappedRange()).set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    buffer.unmap();
    this.buffers[name] = buffer;
    this.groups = null;
  }
}

/** @param {Mesh} mesh */
function packVertices({ normals, uvs }) {
  const packed = new Float32Array((uvs.length / 2) * 8);
  for (let k = 0; k < uvs.length / 2; k++) {
    packed.set([normals[3 * k], normals[3 * k + 1], normals[3 * k + 2], uvs[2 * k], uvs[2 * k + 1]], 8 * k);
  }
  return packed;
}

/** @param {GPUDevice} device */
function makeLayouts(device) {
  const { COMPUTE, FRAGMENT } = GPUShaderStage;
  /** @param {number} binding @param {GPUBufferBindingType} type @param {number} visibility */
  const buffer = (binding, type, visibility) => ({ binding, visibility, buffer: { type } });
  const scene = [
    buffer(0, "uniform", COMPUTE),
    buffer(1, "storage", COMPUTE),
    ...[2, 3, 4, 5].map((binding) => buffer(binding, "read-only-storage", COMPUTE)),
    { binding: 6, visibility: COMPUTE, texture: {} },
    { binding: 7, visibility: COMPUTE, sampler: {} },
  ];
  const display = [buffer(0, "uniform", FRAGMENT), buffer(1, "read-only-storage", FRAGMENT), buffer(2, "read-only-storage", FRAGMENT)];
  return {
    scene: device.createBindGroupLayout({ entries: scene }),
    material: device.createBindGroupLayout({ entries: [buffer(0, "read-only-storage", COMPUTE)] }),
    display: device.createBindGroupLayout({ entries: display }),
  };
}
