// OpenEXR pictures of one part, in rows: not compressed, or by RLE, ZIPS or ZIP; channels of 16 or 32 bits.

import { Refused, inflate } from "./fetching.js";
import { halfTable } from "./half.js";

/** @import { Picture } from "./hdr.js" */

/** @typedef {{ name: string, type: number }} Channel */

const MAGIC = 20000630;
const TILED_OR_DEEP = 0x1a00;
const HALF = 1;
const FLOAT = 2;
/** @type {Record<number, number>} rows of a block, by compression */
const ROWS = { 0: 1, 1: 1, 2: 1, 3: 16 };
const COMPRESSIONS = ["none", "RLE", "ZIPS", "ZIP", "PIZ", "PXR24", "B44", "B44A", "DWAA", "DWAB"];
const SIDE_MAX = 32768;

/** @param {string} name @param {ArrayBuffer} bytes @returns {Promise<Picture>} row 0 at the top */
export async function readExr(name, bytes) {
  try {
    return await new ExrReader(name, bytes).read();
  } catch (error) {
    if (error instanceof Refused) throw error;
    throw new Refused(`${name}: cannot be read as OpenEXR: ${error instanceof Error ? error.message : error}`);
  }
}

class ExrReader {
  /** @param {string} name @param {ArrayBuffer} bytes */
  constructor(name, bytes) {
    this.name = name;
    this.bytes = bytes;
    this.view = new DataView(bytes);
    this.at = 8;
    if (bytes.byteLength < 16 || this.view.getUint32(0, true) !== MAGIC) throw new Refused(`${name}: expected OpenEXR, got something else`);
    if (this.view.getUint32(4, true) & TILED_OR_DEEP) throw new Refused(`${name}: expected one part in rows, got tiles, depth or several parts`);
    /** @type {Channel[]} */
    this.channels = [];
    this.compression = 0;
    this.header();
    this.rows = ROWS[this.compression];
    if (!this.rows) throw new Refused(`${name}: expected no compression, RLE, ZIPS or ZIP, got ${COMPRESSIONS[this.compression] ?? this.compression}`);
  }

  text() {
    let text = "";
    for (let code; (code = this.view.getUint8(this.at++)); ) text += String.fromCharCode(code);
    return text;
  }

  header() {
    for (let name; (name = this.text()); ) {
      this.text();
      const size = this.view.getUint32(this.at, true);
      this.at += 4;
      const end = this.at + size;
      if (name === "channels") this.readChannels();
      if (name === "compression") this.compression = this.view.getUint8(this.at);
      if (name === "dataWindow") this.readWindow();
      this.at = end;
    }
    const colours = ["R", "G", "B"].filter((name) => this.channels.some((channel) => channel.name === name));
    if (colours.length < 3 && !this.channels.some((channel) => channel.name === "Y")) {
      throw new Refused(`${this.name}: expected channels R, G and B or Y, got ${this.channels.map((channel) => channel.name).join(", ")}`);
    }
  }

  readChannels() {
    for (let name; (name = this.text()); ) {
      const type = this.view.getUint32(this.at, true);
      if (type !== HALF && type !== FLOAT) throw new Refused(`${this.name}: channel ${name}: expected 16 or 32 bit floats, got integers`);
      if (this.view.getUint32(this.at + 8, true) !== 1 || this.view.getUint32(this.at + 12, true) !== 1) {
        throw new Refused(`${this.name}: channel ${name}: expected a number a pixel, got fewer`);
      }
      this.channels.push({ name, type });
      this.at += 16;
    }
  }

  readWindow() {
    const [x0, y0, x1, y1] = [0, 4, 8, 12].map((offset) => this.view.getInt32(this.at + offset, true));
    this.top = y0;
    this.width = x1 - x0 + 1;
    this.height = y1 - y0 + 1;
    if (!(this.width > 0 && this.height > 0 && this.width <= SIDE_MAX && this.height <= SIDE_MAX)) {
      throw new Refused(`${this.name}: dataWindow: expected sides of 1 to ${SIDE_MAX}, got ${this.width} x ${this.height}`);
    }
  }

  /** @returns {Promise<Picture>} */
  async read() {
    const [width, height, top] = [Number(this.width), Number(this.height), Number(this.top)];
    const rgb = new Float32Array(width * height * 3);
    const pixel = this.channels.reduce((sum, channel) => sum + (channel.type === HALF ? 2 : 4), 0);
    for (let block = 0; block < Math.ceil(height / this.rows); block++) {
      const start = Number(this.view.getBigUint64(this.at + 8 * block, true));
      const y = this.view.getInt32(start, true) - top;
      const stored = new Uint8Array(this.bytes, start + 8, this.view.getUint32(start + 4, true));
      const rows = Math.min(this.rows, height - y);
      const data = await unpacked(stored, this.compression, rows * width * pixel);
      if (data.length !== rows * width * pixel) throw new Refused(`${this.name}: row ${y}: expected ${rows * width * pixel} bytes, got ${data.length}`);
      this.place(data, rgb, y, rows);
    }
    return { width, height, rgb };
  }

  /** @param {Uint8Array} data @param {Float32Array} rgb @param {number} y @param {number} rows */
  place(data, rgb, y, rows) {
    const width = Number(this.width);
    const values = halfTable();
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    let at = 0;
    for (let row = y; row < y + rows; row++) {
      for (const { name, type } of this.channels) {
        const targets = name === "Y" ? [0, 1, 2] : [["R", "G", "B"].indexOf(name)];
        for (let x = 0; x < width; x++) {
          const value = type === HALF ? values[view.getUint16(at, true)] : view.getFloat32(at, true);
          at += type === HALF ? 2 : 4;
          for (const target of targets) if (target >= 0) rgb[3 * (row * width + x) + target] = value;
        }
      }
    }
  }
}

/** @param {Uint8Array} stored @param {number} compression @param {number} size @returns {Promise<Uint8Array>} */
async function unpacked(stored, compression, size) {
  // A block that compression would not make smaller is stored as it is.
  if (compression === 0 || stored.length === size) return stored.slice();
  const data = compression === 1 ? runs(stored, size) : new Uint8Array(await inflate(stored, "deflate"));
  for (let k = 1; k < data.length; k++) data[k] = data[k - 1] + data[k] - 128;
  const half = Math.ceil(data.length / 2);
  return data.map((_, k) => data[k % 2 ? half + (k >> 1) : k >> 1]);
}

/** @param {Uint8Array} stored @param {number} size */
function runs(stored, size) {
  const data = new Uint8Array(size);
  let at = 0;
  for (let k = 0; k < stored.length && at < size; ) {
    const count = (stored[k++] << 24) >> 24;
    if (count < 0) {
      data.set(stored.subarray(k, k - count), at);
      at -= count;
      k -= count;
    } else {
      data.fill(stored[k++], at, at + count + 1);
      at += count + 1;
    }
  }
  return data;
}
