// Light from far away: a picture of directions, and the table that directions are drawn by.

import { fetchPacked, Refused } from "./fetching.js";
import { halfTable, toHalf } from "./half.js";

/**
 * Row 0 overhead, column 0 at -z. half: RGBA, each 16 bits.
 * @typedef {{ width: number, height: number, half: Uint16Array }} Environment
 */

/**
 * An alias table over the texels of a picture, (keep, other, density) each: `keep` and `density` floats, `other` an
 * integer in a float's bits. The density is that of a direction times the sine of its polar angle.
 * @typedef {{ width: number, height: number, data: Float32Array }} LightTable
 */

const WIDTH_MAX = 2048;
const TABLE_WIDTH_MAX = 1024;
const REC709 = [0.2126, 0.7152, 0.0722];

/** A light of the page's host, as `viewer/environments.py` writes it. @param {string} path @returns {Promise<Environment>} */
export async function loadEnvironment(path) {
  const bytes = await fetchPacked(path);
  const [width, height] = new Uint32Array(bytes, 0, 2);
  const count = width * height;
  if (bytes.byteLength !== 8 + count * 6) throw new Refused(`${path}: expected ${8 + count * 6} bytes, got ${bytes.byteLength}`);
  const planes = new Uint16Array(bytes, 8);
  const half = new Uint16Array(count * 4);
  for (let k = 0; k < count; k++) {
    half[4 * k] = planes[k];
    half[4 * k + 1] = planes[count + k];
    half[4 * k + 2] = planes[2 * count + k];
  }
  return { width, height, half };
}

/**
 * A picture of the user's, made smaller by whole factors where it is larger than we draw from.
 * @param {string} name @param {{ width: number, height: number, rgb: Float32Array }} picture
 * @returns {Environment}
 */
export function finishEnvironment(name, picture) {
  const step = Math.max(1, Math.ceil(picture.width / WIDTH_MAX));
  const [width, height] = [Math.floor(picture.width / step), Math.floor(picture.height / step)];
  if (!width || !height) throw new Refused(`${name}: expected a picture of ${step} pixels or more, got ${picture.width} x ${picture.height}`);
  const half = new Uint16Array(width * height * 4);
  for (let k = 0; k < width * height; k++) {
    for (let channel = 0; channel < 3; channel++) {
      const value = blockMean(picture, (k % width) * step, Math.floor(k / width) * step, step, channel);
      half[4 * k + channel] = toHalf(Math.max(value, 0));
    }
  }
  return { width, height, half };
}

/** @param {{ width: number, rgb: Float32Array }} picture @param {number} x @param {number} y @param {number} step @param {number} channel */
function blockMean(picture, x, y, step, channel) {
  let total = 0;
  for (let row = y; row < y + step; row++) {
    for (let column = x; column < x + step; column++) total += picture.rgb[3 * (row * picture.width + column) + channel];
  }
  return total / (step * step) || 0;
}

/** @param {Environment} environment @returns {LightTable} */
export function lightTable(environment) {
  const step = Math.max(1, Math.ceil(environment.width / TABLE_WIDTH_MAX));
  const [width, height] = [Math.ceil(environment.width / step), Math.ceil(environment.height / step)];
  const weights = spread(brightness(environment, width, height, step), width, 8 * step - 2);
  let total = 0;
  for (let y = 0; y < height; y++) {
    const sine = Math.sin(((y + 0.5) * Math.PI) / height);
    for (let x = 0; x < width; x++) total += weights[y * width + x] *= sine;
  }
  // A share of all directions alike: a dark texel may lie beside a bright one, which its bilinear picture reaches.
  const floor = total > 0 ? (0.02 * total) / weights.length : 1;
  weights.forEach((_, k) => (weights[k] += floor));
  return { width, height, data: aliasTable(weights, (width * height) / (2 * Math.PI * Math.PI)) };
}

/** @param {Environment} environment @param {number} width @param {number} height @param {number} step */
function brightness(environment, width, height, step) {
  const values = halfTable();
  const sums = new Float64Array(width * height);
  for (let y = 0; y < environment.height; y++) {
    const row = Math.floor(y / step) * width;
    for (let x = 0; x < environment.width; x++) {
      const at = 4 * (y * environment.width + x);
      const [r, g, b] = [values[environment.half[at]], values[environment.half[at + 1]], values[environment.half[at + 2]]];
      sums[row + Math.floor(x / step)] += REC709[0] * r + REC709[1] * g + REC709[2] * b;
    }
  }
  return sums;
}

/**
 * What the bilinear picture has over each block of `step` texels: an eighth of a texel of it is its neighbours'.
 * So each way by 1, `own`, 1, with `own` 8 step - 2.
 * @param {Float64Array} values @param {number} width @param {number} own
 */
function spread(values, width, own) {
  const across = new Float64Array(values.length);
  for (let k = 0; k < values.length; k++) {
    const [x, row] = [k % width, k - (k % width)];
    across[k] = own * values[k] + values[row + ((x + 1) % width)] + values[row + ((x + width - 1) % width)];
  }
  return across.map((value, k) => own * value + (across[k - width] ?? value) + (across[k + width] ?? value));
}

/**
 * Vose's method (1991): every entry keeps its own with probability `keep`, else gives the `other`.
 * @param {Float64Array} weights above 0 @param {number} scale of the density
 */
function aliasTable(weights, scale) {
  const count = weights.length;
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const data = new Float32Array(count * 3);
  const bits = new Uint32Array(data.buffer);
  const left = weights.map((weight) => (weight * count) / total);
  /** @type {number[]} */
  const small = [];
  /** @type {number[]} */
  const large = [];
  for (let k = 0; k < count; k++) {
    data[3 * k + 2] = (weights[k] / total) * scale;
    (left[k] < 1 ? small : large).push(k);
  }
  while (small.length && large.length) {
    const [under, over] = [/** @type {number} */ (small.pop()), large[large.length - 1]];
    data[3 * under] = left[under];
    bits[3 * under + 1] = over;
    left[over] -= 1 - left[under];
    if (left[over] < 1) small.push(/** @type {number} */ (large.pop()));
  }
  for (const k of [...small, ...large]) {
    data[3 * k] = 1;
    bits[3 * k + 1] = k;
  }
  return data;
}

/**
 * Directions by the table, turned with the light, and their densities: four numbers each.
 * @param {LightTable} table @param {number} count @param {number} rotation radians
 * @returns {Float32Array}
 */
export function drawDirections({ width, height, data }, count, rotation) {
  const bits = new Uint32Array(data.buffer, data.byteOffset, data.length);
  const drawn = new Float32Array(count * 4);
  const [cosine, sine] = [Math.cos(rotation), Math.sin(rotation)];
  for (let k = 0; k < count; k++) {
    let index = Math.min(Math.floor(Math.random() * width * height), width * height - 1);
    if (Math.random() >= data[3 * index]) index = bits[3 * index + 1];
    const phi = (2 * Math.PI * ((index % width) + Math.random())) / width;
    const theta = (Math.PI * (Math.floor(index / width) + Math.random())) / height;
    const [x, z] = [Math.sin(phi) * Math.sin(theta), -Math.cos(phi) * Math.sin(theta)];
    drawn.set([cosine * x + sine * z, Math.cos(theta), cosine * z - sine * x, data[3 * index + 2] / Math.max(Math.sin(theta), 1e-6)], 4 * k);
  }
  return drawn;
}
