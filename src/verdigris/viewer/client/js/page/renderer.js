// What the page asks of a renderer.

/** @import { Environment } from "../data/environment.js" */
/** @import { Mesh } from "../data/mesh.js" */
/** @import { View } from "./camera.js" */

/**
 * All that a picture depends on but the scene.
 * rotation: of the light, radians. level: forced, or null. view: 0 the picture, else a number of views.wgsl.
 * footprint: share of a pixel that a level answers for. depth: longest path, in edges. tone: 0 none, 1 ACES, 2 AgX.
 * exposure: stops. split: in 0..1. gain: of the difference.
 * @typedef {{ camera: View, rotation: number, level: number | null, view: number, channel: number,
 *   footprint: number, depth: number, background: boolean, tone: number, exposure: number, split: number, gain: number,
 *   compare: "neural" | "split" | "difference" }} Shot
 */

/**
 * A material's shader, which holds the weights, and its latents, as `verdigris.export.latents` packs them.
 * @typedef {{ code: string, latents: ArrayBuffer, channels: number, levels: number, width: number, height: number }} MaterialParts
 */

/**
 * samples: that the picture holds. bytes: on the device. slow: whether it runs without a graphics processor. offersHalf:
 * whether it takes shaders whose networks run in 16 bits.
 * lost: resolves, with why, when the device is gone.
 * @typedef {{ kind: string, canvas: HTMLCanvasElement, samples: number, bytes: number, slow: boolean, ready: boolean,
 *   offersHalf: boolean, lost: Promise<string>, hasReference?: boolean, setMesh(mesh: Mesh): void,
 *   setEnvironment(environment: Environment): void,
 *   setMaterial(parts: MaterialParts): Promise<void>, prepareViews(): Promise<void>,
 *   setReference(rgba: Float32Array | null): void, resize(width: number, height: number): void, restart(): void,
 *   sample(shot: Shot, count: number): Promise<void>, show(shot: Shot): void, read(): Promise<Float32Array>,
 *   destroy(): void }} Renderer
 */

const MODES = { neural: 0, split: 1, difference: 2 };
const AS_IT_IS = 3;

/** What the display shaders are to show. @param {{ hasReference?: boolean }} renderer @param {Shot} shot @returns {number} */
export function displayMode(renderer, shot) {
  if (shot.view !== 0) return AS_IT_IS;
  return renderer.hasReference ? MODES[shot.compare] : MODES.neural;
}
