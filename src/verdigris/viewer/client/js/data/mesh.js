// Triangle meshes: the page's own file format, and what every mesh gets before it is drawn.

import { Refused, fetchPacked } from "./fetching.js";

/**
 * Positions and normals [3 n], uvs [2 n] with v upwards, indices [3 m].
 * @typedef {{ positions: Float32Array, normals: Float32Array, uvs: Float32Array, indices: Uint32Array }} Mesh
 */

const MAX_TRIANGLES = 2_000_000;

/** A shape of the page's host, as `viewer/shapes.py` writes it. @param {string} path @returns {Promise<Mesh>} */
export async function loadMesh(path) {
  const bytes = await fetchPacked(path);
  const [vertices, triangles] = new Uint32Array(bytes, 0, 2);
  const expected = 8 + vertices * 32 + triangles * 12;
  if (bytes.byteLength !== expected) throw new Refused(`${path}: expected ${expected} bytes, got ${bytes.byteLength}`);
  return {
    positions: new Float32Array(bytes, 8, vertices * 3),
    normals: new Float32Array(bytes, 8 + vertices * 12, vertices * 3),
    uvs: new Float32Array(bytes, 8 + vertices * 24, vertices * 2),
    indices: new Uint32Array(bytes, 8 + vertices * 32, triangles * 3),
  };
}

/**
 * A mesh from a file of the user's: checked, with normals and uvs where it has none, centred and scaled to a radius of 1.
 * @param {string} name
 * @param {{ positions: Float32Array, normals?: Float32Array, uvs?: Float32Array, indices: Uint32Array }} parts
 * @returns {Mesh}
 */
export function finishMesh(name, parts) {
  const { indices } = parts;
  const count = parts.positions.length / 3;
  if (indices.length < 3) throw new Refused(`${name}: expected triangles, got none`);
  if (indices.length / 3 > MAX_TRIANGLES) {
    throw new Refused(`${name}: expected up to ${MAX_TRIANGLES} triangles, got ${indices.length / 3}`);
  }
  for (const index of indices) {
    if (index >= count) throw new Refused(`${name}: expected indices below ${count}, got ${index}`);
  }
  const positions = fitted(name, parts.positions);
  const normals = parts.normals ?? smoothNormals(positions, indices);
  return { positions, normals, uvs: parts.uvs ?? planarUvs(positions), indices };
}

/** @param {string} name @param {Float32Array} positions */
function fitted(name, positions) {
  const low = [Infinity, Infinity, Infinity];
  const high = [-Infinity, -Infinity, -Infinity];
  for (let k = 0; k < positions.length; k++) {
    if (!Number.isFinite(positions[k])) throw new Refused(`${name}: expected finite positions, got ${positions[k]}`);
    low[k % 3] = Math.min(low[k % 3], positions[k]);
    high[k % 3] = Math.max(high[k % 3], positions[k]);
  }
  const scale = 2 / Math.max(Math.hypot(...high.map((value, axis) => value - low[axis])), 1e-20);
  return positions.map((value, k) => (value - (low[k % 3] + high[k % 3]) / 2) * scale);
}

/** Normals of vertices, by the areas of the triangles around them. @param {Float32Array} p @param {Uint32Array} indices */
export function smoothNormals(p, indices) {
  const normals = new Float32Array(p.length);
  for (let k = 0; k < indices.length; k += 3) {
    const [a, b, c] = [3 * indices[k], 3 * indices[k + 1], 3 * indices[k + 2]];
    const [ux, uy, uz] = [p[b] - p[a], p[b + 1] - p[a + 1], p[b + 2] - p[a + 2]];
    const [vx, vy, vz] = [p[c] - p[a], p[c + 1] - p[a + 1], p[c + 2] - p[a + 2]];
    const normal = [uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx];
    for (const corner of [a, b, c]) for (let axis = 0; axis < 3; axis++) normals[corner + axis] += normal[axis];
  }
  for (let k = 0; k < normals.length; k += 3) {
    const length = Math.hypot(normals[k], normals[k + 1], normals[k + 2]) || 1;
    for (let axis = 0; axis < 3; axis++) normals[k + axis] /= length;
  }
  return normals;
}

/** The uv of a mesh without: around the vertical axis, and up it. @param {Float32Array} p */
function planarUvs(p) {
  const uvs = new Float32Array((p.length / 3) * 2);
  for (let k = 0; k < p.length / 3; k++) {
    uvs[2 * k] = Math.atan2(p[3 * k], p[3 * k + 2]) / Math.PI + 0.5;
    uvs[2 * k + 1] = 0.5 + 0.5 * p[3 * k + 1];
  }
  return uvs;
}

/** Distance of the farthest vertex from the origin. @param {Mesh} mesh @returns {number} */
export function radiusOf(mesh) {
  let most = 0;
  const p = mesh.positions;
  for (let k = 0; k < p.length; k += 3) most = Math.max(most, p[k] * p[k] + p[k + 1] * p[k + 1] + p[k + 2] * p[k + 2]);
  return Math.sqrt(most);
}
