// What TypeScript's own declarations of WebGPU lack: the flags that are numbers, and a canvas's context.

declare const GPUBufferUsage: Record<"MAP_READ" | "COPY_SRC" | "COPY_DST" | "UNIFORM" | "STORAGE", GPUBufferUsageFlags>;
declare const GPUTextureUsage: Record<"TEXTURE_BINDING" | "COPY_DST", GPUTextureUsageFlags>;
declare const GPUMapMode: Record<"READ", GPUMapModeFlags>;
declare const GPUShaderStage: Record<"FRAGMENT" | "COMPUTE", GPUShaderStageFlags>;

interface HTMLCanvasElement {
  getContext(contextId: "webgpu"): GPUCanvasContext | null;
}
