// Wavefront OBJ: positions, texture coordinates, normals and faces; everything else in a file is skipped.

import { Refused } from "./fetching.js";

/** @typedef {{ positions: Float32Array, normals?: Float32Array, uvs?: Float32Array, indices: Uint32Array }} MeshParts */

/** @param {string} name @param {string} text @returns {MeshParts} */
export function readObj(name, text) {
  const reader = new ObjReader(name);
  text.split("\n").forEach((line, index) => reader.line(line, index + 1));
  return reader.finish();
}

class ObjReader {
  /** @param {string} name of the file, for errors */
  constructor(name) {
    this.name = name;
    /** @type {{ v: number[][], vt: number[][], vn: number[][] }} */
    this.given = { v: [], vt: [], vn: [] };
    /** @type {Map<string, number>} */
    this.corners = new Map();
    /** @type {number[][]} */
    this.vertices = [];
    /** @type {number[]} */
    this.indices = [];
    this.whole = { vt: true, vn: true };
  }

  /** @param {string} line @param {number} number */
  line(line, number) {
    const [word, ...rest] = line.trim().split(/\s+/);
    if (word === "v" || word === "vt" || word === "vn") {
      const values = rest.slice(0, word === "vt" ? 2 : 3).map(Number);
      if (values.length < (word === "vt" ? 1 : 3) || values.some(Number.isNaN)) {
        throw new Refused(`${this.name}: line ${number}: expected numbers behind ${word}, got ${rest.join(" ").slice(0, 40)}`);
      }
      this.given[word].push(word === "vt" ? [values[0], values[1] ?? 0] : values);
    } else if (word === "f") {
      const corners = rest.map((text) => this.corner(text, number));
      for (let k = 2; k < corners.length; k++) this.indices.push(corners[0], corners[k - 1], corners[k]);
    }
  }

  /** The number of the vertex that a corner like `7/2/5` names. @param {string} text @param {number} line */
  corner(text, line) {
    const known = this.corners.get(text);
    if (known !== undefined) return known;
    const [v, vt, vn] = text.split("/");
    const place = this.pick("v", v, line);
    if (!place) throw new Refused(`${this.name}: line ${line}: expected a vertex that was given before, got ${text.slice(0, 40)}`);
    const uv = this.pick("vt", vt, line);
    const normal = this.pick("vn", vn, line);
    this.whole.vt &&= Boolean(uv);
    this.whole.vn &&= Boolean(normal);
    this.vertices.push([...place, ...(normal ?? [0, 0, 0]), ...(uv ?? [0, 0])]);
    this.corners.set(text, this.vertices.length - 1);
    return this.vertices.length - 1;
  }

  /** @param {"v" | "vt" | "vn"} kind @param {string | undefined} text @param {number} line */
  pick(kind, text, line) {
    if (!text) return null;
    const index = Number(text);
    const values = this.given[kind].at(index > 0 ? index - 1 : index);
    if (!Number.isInteger(index) || index === 0 || !values) {
      throw new Refused(`${this.name}: line ${line}: expected a number of a ${kind} that was given before, got ${text.slice(0, 40)}`);
    }
    return values;
  }

  /** @returns {MeshParts} */
  finish() {
    /** @param {number} start @param {number} end */
    const columns = (start, end) => Float32Array.from(this.vertices.flatMap((vertex) => vertex.slice(start, end)));
    return {
      positions: columns(0, 3),
      normals: this.whole.vn ? columns(3, 6) : undefined,
      uvs: this.whole.vt ? columns(6, 8) : undefined,
      indices: Uint32Array.from(this.indices),
    };
  }
}
