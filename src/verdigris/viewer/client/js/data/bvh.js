// A bounding volume hierarchy over triangles, split by the surface area heuristic in bins.

/** @import { Mesh } from "./mesh.js" */

const BINS = 12;
const LEAF = 4;

/**
 * nodes: two vectors of 4 a node, (low, first) and (high, count): a leaf holds `count` triangles from `first` on, an
 * inner node (count 0) has children `first` and `first + 1`. triangles: three vectors of 4, corner and its vertex.
 * `first`, `count` and the vertex are integers, in the bits of the floats.
 * @typedef {{ nodes: Float32Array, triangles: Float32Array }} Bvh
 */

/** @param {Mesh} mesh @returns {Bvh} */
export function buildBvh(mesh) {
  const builder = new Builder(mesh);
  builder.build();
  return { nodes: builder.nodes.subarray(0, builder.count * 8), triangles: builder.packed() };
}

class Builder {
  /** @param {Mesh} mesh */
  constructor(mesh) {
    this.mesh = mesh;
    const total = mesh.indices.length / 3;
    this.order = Uint32Array.from({ length: total }, (_, k) => k);
    this.bounds = new Float32Array(total * 6);
    this.centres = new Float32Array(total * 3);
    this.nodes = new Float32Array(Math.max(2 * total, 1) * 8);
    this.bits = new Uint32Array(this.nodes.buffer);
    this.count = 1;
    for (let k = 0; k < total; k++) this.measure(k);
  }

  /** @param {number} k a triangle */
  measure(k) {
    const { positions, indices } = this.mesh;
    for (let axis = 0; axis < 3; axis++) {
      const a = positions[3 * indices[3 * k] + axis];
      const b = positions[3 * indices[3 * k + 1] + axis];
      const c = positions[3 * indices[3 * k + 2] + axis];
      this.bounds[6 * k + axis] = Math.min(a, b, c);
      this.bounds[6 * k + 3 + axis] = Math.max(a, b, c);
      this.centres[3 * k + axis] = (this.bounds[6 * k + axis] + this.bounds[6 * k + 3 + axis]) / 2;
    }
  }

  build() {
    const pending = [[0, 0, this.order.length]];
    while (pending.length) {
      const [node, start, end] = /** @type {number[]} */ (pending.pop());
      this.enclose(node, start, end);
      const middle = end - start > LEAF ? this.split(start, end) : start;
      if (middle === start || middle === end) {
        this.bits[8 * node + 3] = start;
        this.bits[8 * node + 7] = end - start;
        continue;
      }
      const child = this.count;
      this.count += 2;
      this.bits[8 * node + 3] = child;
      this.bits[8 * node + 7] = 0;
      pending.push([child, start, middle], [child + 1, middle, end]);
    }
  }

  /** @param {number} node @param {number} start @param {number} end */
  enclose(node, start, end) {
    const box = emptyBox();
    for (let k = start; k < end; k++) grow(box, this.bounds, 6 * this.order[k]);
    for (let axis = 0; axis < 3; axis++) {
      this.nodes[8 * node + axis] = box[axis];
      this.nodes[8 * node + 4 + axis] = box[3 + axis];
    }
  }

  /**
   * Orders the triangles of a node so that those of its first child come first. Returns where the second's begin, or
   * `start` where no split is worth it.
   * @param {number} start @param {number} end
   */
  split(start, end) {
    const best = this.cheapest(start, end);
    if (best.axis < 0) return end - start > 64 ? (start + end) >> 1 : start;
    let left = start;
    let right = end - 1;
    while (left <= right) {
      const place = this.centres[3 * this.order[left] + best.axis];
      if (binOf(place, best.low, best.scale) < best.bin) {
        left++;
      } else {
        [this.order[left], this.order[right]] = [this.order[right], this.order[left]];
        right--;
      }
    }
    return left;
  }

  /** @param {number} start @param {number} end */
  cheapest(start, end) {
    const best = { cost: Infinity, axis: -1, bin: 0, low: 0, scale: 0 };
    for (let axis = 0; axis < 3; axis++) {
      let low = Infinity;
      let high = -Infinity;
      for (let k = start; k < end; k++) {
        const place = this.centres[3 * this.order[k] + axis];
        low = Math.min(low, place);
        high = Math.max(high, place);
      }
      if (high <= low) continue;
      const scale = BINS / (high - low);
      const { cost, bin } = this.sweep(start, end, axis, low, scale);
      if (cost < best.cost) Object.assign(best, { cost, axis, bin, low, scale });
    }
    return best;
  }

  /** @param {number} start @param {number} end @param {number} axis @param {number} low @param {number} scale */
  sweep(start, end, axis, low, scale) {
    const boxes = Array.from({ length: BINS }, emptyBox);
    const counts = new Uint32Array(BINS);
    for (let k = start; k < end; k++) {
      const bin = binOf(this.centres[3 * this.order[k] + axis], low, scale);
      counts[bin]++;
      grow(boxes[bin], this.bounds, 6 * this.order[k]);
    }
    const above = new Float64Array(BINS);
    let box = emptyBox();
    for (let bin = BINS - 1, total = 0; bin > 0; bin--) {
      grow(box, boxes[bin], 0);
      total += counts[bin];
      above[bin] = total ? total * area(box) : 0;
    }
    let best = { cost: Infinity, bin: 0 };
    box = emptyBox();
    for (let bin = 1, total = 0; bin < BINS; bin++) {
      grow(box, boxes[bin - 1], 0);
      total += counts[bin - 1];
      const cost = (total ? total * area(box) : 0) + above[bin];
      if (total && total < end - start && cost < best.cost) best = { cost, bin };
    }
    return best;
  }

  packed() {
    const { positions, indices } = this.mesh;
    const packed = new Float32Array(this.order.length * 12);
    const bits = new Uint32Array(packed.buffer);
    this.order.forEach((triangle, place) => {
      for (let corner = 0; corner < 3; corner++) {
        const vertex = indices[3 * triangle + corner];
        for (let axis = 0; axis < 3; axis++) packed[12 * place + 4 * corner + axis] = positions[3 * vertex + axis];
        bits[12 * place + 4 * corner + 3] = vertex;
      }
    });
    return packed;
  }
}

/** @param {number} place @param {number} low @param {number} scale */
function binOf(place, low, scale) {
  return Math.min(Math.floor((place - low) * scale), BINS - 1);
}

function emptyBox() {
  return new Float32Array([Infinity, Infinity, Infinity, -Infinity, -Infinity, -Infinity]);
}

/** @param {Float32Array} box @param {Float32Array} other @param {number} at */
function grow(box, other, at) {
  for (let axis = 0; axis < 3; axis++) {
    if (other[at + axis] < box[axis]) box[axis] = other[at + axis];
    if (other[at + 3 + axis] > box[3 + axis]) box[3 + axis] = other[at + 3 + axis];
  }
}

/** Half the surface. @param {Float32Array} box */
function area(box) {
  const [x, y, z] = [box[3] - box[0], box[4] - box[1], box[5] - box[2]];
  return x * y + y * z + z * x;
}
