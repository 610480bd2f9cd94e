// Binary glTF 2.0: the triangles of all meshes of its scene, each where its nodes put it.

import { Refused } from "./fetching.js";

/** @import { MeshParts } from "./obj.js" */


const MAGIC = 0x46546c67;
const CHUNK_JSON = 0x4e4f534a;
const CHUNK_BINARY = 0x004e4942;
const TRIANGLES = 4;
const DEPTH_MAX = 64;

/**
 * What we read of glTF's JSON.
 * @typedef {{ attributes: Record<string, number>, indices?: number, mode?: number }} Primitive
 * @typedef {{ mesh?: number, children?: number[], matrix?: number[], translation?: number[], rotation?: number[], scale?: number[] }} GltfNode
 * @typedef {{ bufferView: number, byteOffset?: number, componentType: number, count: number, type: string,
 *   normalized?: boolean, sparse?: object }} Accessor
 * @typedef {{ scene?: number, scenes?: { nodes?: number[] }[], nodes?: GltfNode[], meshes: { primitives: Primitive[] }[],
 *   accessors: Accessor[], bufferViews: { byteOffset?: number, byteStride?: number }[],
 *   extensionsRequired?: string[] }} GltfDocument
 */

/** Array type and scale to 1 of normalised numbers, by glTF's component type. */
const COMPONENTS = {
  5120: { kind: Int8Array, scale: 127 },
  5121: { kind: Uint8Array, scale: 255 },
  5122: { kind: Int16Array, scale: 32767 },
  5123: { kind: Uint16Array, scale: 65535 },
  5125: { kind: Uint32Array, scale: 1 },
  5126: { kind: Float32Array, scale: 1 },
};
/** @type {Record<string, number>} */
const WIDTHS = { SCALAR: 1, VEC2: 2, VEC3: 3, VEC4: 4 };

/** @param {string} name @param {ArrayBuffer} bytes @returns {MeshParts} */
export function readGlb(name, bytes) {
  try {
    return new GlbReader(name, bytes).read();
  } catch (error) {
    if (error instanceof Refused) throw error;
    throw new Refused(`${name}: cannot be read as binary glTF: ${error instanceof Error ? error.message : error}`);
  }
}

class GlbReader {
  /** @param {string} name @param {ArrayBuffer} bytes */
  constructor(name, bytes) {
    this.name = name;
    const view = new DataView(bytes);
    if (bytes.byteLength < 20 || view.getUint32(0, true) !== MAGIC) throw new Refused(`${name}: expected binary glTF, got something else`);
    if (view.getUint32(4, true) !== 2) throw new Refused(`${name}: expected version 2 of glTF, got ${view.getUint32(4, true)}`);
    let text = "{}";
    this.binary = new ArrayBuffer(0);
    for (let at = 12; at + 8 <= bytes.byteLength; ) {
      const [length, kind] = [view.getUint32(at, true), view.getUint32(at + 4, true)];
      if (kind === CHUNK_JSON) text = new TextDecoder().decode(new Uint8Array(bytes, at + 8, length));
      if (kind === CHUNK_BINARY) this.binary = bytes.slice(at + 8, at + 8 + length);
      at += 8 + length;
    }
    this.json = /** @type {GltfDocument} */ (JSON.parse(text));
    const required = this.json.extensionsRequired ?? [];
    if (required.length) throw new Refused(`${name}: expected no required extensions, got ${required.join(", ")}`);
    /** @type {MeshParts[]} */
    this.parts = [];
  }

  /** @returns {MeshParts} */
  read() {
    const { json } = this;
    const roots = json.scenes?.[json.scene ?? 0]?.nodes ?? (json.nodes ?? []).map((_, k) => k);
    for (const root of roots) this.walk(root, IDENTITY, 0);
    if (!this.parts.length) throw new Refused(`${this.name}: expected a mesh of triangles, got none`);
    return joined(this.parts);
  }

  /** @param {number} index @param {number[]} above the transform of the parent @param {number} depth */
  walk(index, above, depth) {
    const node = this.json.nodes?.[index];
    if (!node) throw new Refused(`${this.name}: expected a node ${index}, got none`);
    if (depth > DEPTH_MAX) throw new Refused(`${this.name}: expected nodes up to ${DEPTH_MAX} deep, got more`);
    const transform = multiply(above, node.matrix ?? matrixOf(node));
    for (const primitive of node.mesh === undefined ? [] : this.json.meshes[node.mesh].primitives) {
      if ((primitive.mode ?? TRIANGLES) === TRIANGLES) this.parts.push(this.primitive(primitive, transform));
    }
    for (const child of node.children ?? []) this.walk(child, transform, depth + 1);
  }

  /** @param {Primitive} primitive @param {number[]} transform @returns {MeshParts} */
  primitive({ attributes, indices }, transform) {
    const positions = this.floats(attributes.POSITION);
    const normals = attributes.NORMAL === undefined ? undefined : this.floats(attributes.NORMAL);
    const uvs = attributes.TEXCOORD_0 === undefined ? undefined : this.floats(attributes.TEXCOORD_0);
    const count = positions.length / 3;
    return {
      positions: moved(positions, transform),
      normals: normals && turned(normals, transform),
      // glTF's v runs downwards.
      uvs: uvs?.map((value, k) => (k % 2 ? 1 - value : value)),
      indices: indices === undefined ? Uint32Array.from({ length: count }, (_, k) => k) : Uint32Array.from(this.accessor(indices)),
    };
  }

  /** @param {number} index of an accessor */
  floats(index) {
    return Float32Array.from(this.accessor(index));
  }

  /** All numbers of an accessor, exact. @param {number} index @returns {number[]} */
  accessor(index) {
    const accessor = this.json.accessors[index];
    const component = COMPONENTS[/** @type {keyof typeof COMPONENTS} */ (accessor.componentType)];
    const width = WIDTHS[accessor.type];
    const view = this.json.bufferViews[accessor.bufferView];
    if (!component || !width || !view || accessor.sparse) throw new Refused(`${this.name}: accessors.${index}: expected plain numbers in a buffer, got another kind`);
    const size = width * component.kind.BYTES_PER_ELEMENT;
    const stride = view.byteStride ?? size;
    const start = (view.byteOffset ?? 0) + (accessor.byteOffset ?? 0);
    if (start + (accessor.count - 1) * stride + size > this.binary.byteLength) {
      throw new Refused(`${this.name}: accessors.${index}: expected ${accessor.count} items, got fewer bytes`);
    }
    const scale = accessor.normalized ? component.scale : 1;
    /** @type {number[]} */
    const values = [];
    for (let k = 0; k < accessor.count; k++) {
      const item = new component.kind(this.binary.slice(start + k * stride, start + k * stride + size));
      for (const value of item) values.push(value / scale);
    }
    return values;
  }
}

/** All parts as one mesh; normals and uvs only where every part has them. @param {MeshParts[]} parts @returns {MeshParts} */
function joined(parts) {
  let start = 0;
  const indices = parts.map((part) => {
    const shifted = part.indices.map((index) => index + start);
    start += part.positions.length / 3;
    return shifted;
  });
  /** @param {"normals" | "uvs"} kind */
  const optional = (kind) => (parts.every((part) => part[kind]) ? concatenated(parts.map((part) => /** @type {Float32Array} */ (part[kind]))) : undefined);
  return {
    positions: concatenated(parts.map((part) => part.positions)),
    normals: optional("normals"),
    uvs: optional("uvs"),
    indices: Uint32Array.from(indices.flatMap((array) => [...array])),
  };
}

/** @param {Float32Array[]} arrays */
function concatenated(arrays) {
  const all = new Float32Array(arrays.reduce((sum, array) => sum + array.length, 0));
  let at = 0;
  for (const array of arrays) {
    all.set(array, at);
    at += array.length;
  }
  return all;
}

const IDENTITY = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1];

/** Column by column. @param {GltfNode} node @returns {number[]} */
function matrixOf({ translation: [x, y, z] = [0, 0, 0], rotation: [i, j, k, r] = [0, 0, 0, 1], scale: [sx, sy, sz] = [1, 1, 1] }) {
  return [
    sx * (1 - 2 * (j * j + k * k)), sx * 2 * (i * j + k * r), sx * 2 * (i * k - j * r), 0,
    sy * 2 * (i * j - k * r), sy * (1 - 2 * (i * i + k * k)), sy * 2 * (j * k + i * r), 0,
    sz * 2 * (i * k + j * r), sz * 2 * (j * k - i * r), sz * (1 - 2 * (i * i + j * j)), 0,
    x, y, z, 1,
  ];
}

/** @param {number[]} a @param {number[]} b */
function multiply(a, b) {
  return Array.from({ length: 16 }, (_, at) => {
    const [row, column] = [at % 4, at - (at % 4)];
    return a[row] * b[column] + a[row + 4] * b[column + 1] + a[row + 8] * b[column + 2] + a[row + 12] * b[column + 3];
  });
}

/** @param {ArrayLike<number>} p @param {number[]} m */
function moved(p, m) {
  return Float32Array.from({ length: p.length }, (_, k) => {
    const [axis, at] = [k % 3, k - (k % 3)];
    return m[axis] * p[at] + m[axis + 4] * p[at + 1] + m[axis + 8] * p[at + 2] + m[axis + 12];
  });
}

/** Normals, by the transform's cofactors. @param {ArrayLike<number>} n @param {number[]} m */
function turned(n, m) {
  const columns = [[m[0], m[1], m[2]], [m[4], m[5], m[6]], [m[8], m[9], m[10]]];
  const cofactors = [0, 1, 2].map((k) => cross(columns[(k + 1) % 3], columns[(k + 2) % 3]));
  const result = new Float32Array(n.length);
  for (let at = 0; at < n.length; at += 3) {
    const v = [0, 1, 2].map((axis) => cofactors[0][axis] * n[at] + cofactors[1][axis] * n[at + 1] + cofactors[2][axis] * n[at + 2]);
    const length = Math.hypot(...v) || 1;
    for (let axis = 0; axis < 3; axis++) result[at + axis] = v[axis] / length;
  }
  return result;
}

/** @param {number[]} a @param {number[]} b */
function cross(a, b) {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}
