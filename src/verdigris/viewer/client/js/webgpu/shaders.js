// The page's WGSL files, put together with a material's module.

import { fetchText } from "../data/fetching.js";

const SHARED = ["frame", "random", "intersect", "surface", "sky", "footprint", "camera"];

/** @type {Map<string, Promise<string>>} */
const texts = new Map();

/** @param {string} name @returns {Promise<string>} */
function text(name) {
  const found = texts.get(name) ?? fetchText(`shaders/${name}.wgsl`);
  texts.set(name, found);
  return found;
}

/** @param {string[]} names */
async function joined(names) {
  return (await Promise.all(names.map(text))).join("\n");
}

/** A channel of a latent by number: how many vectors hold it depends on the material. @param {number} channels */
function latentChannel(channels) {
  const cases = Array.from({ length: Math.ceil(channels / 4) }, (_, k) => `case ${k}u: { return surface.latent${k}[channel % 4u]; }`);
  return `fn latent_channel(surface: VdSurface, channel: u32) -> f32 {
  switch channel / 4u { ${cases.join(" ")} default: { return 0.0; } }
}`;
}

/** The path tracer of a material. The material comes first: it may begin with `enable`. @param {string} material @returns {Promise<string>} */
export async function pathShader(material) {
  return `${material}\n${await joined([...SHARED, "path"])}`;
}

/** The views of a material. @param {string} material @param {number} channels of its latents @returns {Promise<string>} */
export async function viewShader(material, channels) {
  return `${material}\n${await joined([...SHARED, "views"])}\n${latentChannel(channels)}`;
}

/** What shows a picture. @returns {Promise<string>} */
export function displayShader() {
  return joined(["tone", "display"]);
}
