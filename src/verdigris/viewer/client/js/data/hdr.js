// Radiance RGBE pictures (.hdr), plain or run-length encoded.

import { Refused } from "./fetching.js";

/** @typedef {{ width: number, height: number, rgb: Float32Array }} Picture */

const SIDE_MAX = 32768;

/** @param {string} name @param {ArrayBuffer} bytes @returns {Picture} row 0 at the top */
export function readHdr(name, bytes) {
  const data = new Uint8Array(bytes);
  const { width, height, start } = header(name, data);
  const rgb = new Float32Array(width * height * 3);
  const line = new Uint8Array(width * 4);
  let at = start;
  for (let y = 0; y < height; y++) {
    at = readLine(name, data, at, line);
    for (let x = 0; x < width; x++) {
      const scale = line[4 * x + 3] ? 2 ** (line[4 * x + 3] - 136) : 0;
      for (let channel = 0; channel < 3; channel++) rgb[3 * (y * width + x) + channel] = line[4 * x + channel] * scale;
    }
  }
  return { width, height, rgb };
}

/** @param {string} name @param {Uint8Array} data */
function header(name, data) {
  const text = new TextDecoder("latin1").decode(data.subarray(0, 4096));
  if (!text.startsWith("#?")) throw new Refused(`${name}: expected a Radiance picture, got something else`);
  const size = /\n-Y (\d{1,5}) \+X (\d{1,5})\n/.exec(text);
  if (!size) throw new Refused(`${name}: expected a size as "-Y height +X width" in the header, got none`);
  const [height, width] = [Number(size[1]), Number(size[2])];
  if (!width || !height || width > SIDE_MAX || height > SIDE_MAX) throw new Refused(`${name}: expected sides of 1 to ${SIDE_MAX}, got ${width} x ${height}`);
  return { width, height, start: size.index + size[0].length };
}

/** Reads a row into `line` and returns where the next one begins. @param {string} name @param {Uint8Array} data @param {number} at @param {Uint8Array} line */
function readLine(name, data, at, line) {
  const width = line.length / 4;
  const encoded = data[at] === 2 && data[at + 1] === 2 && data[at + 2] * 256 + data[at + 3] === width;
  if (!encoded) {
    if (at + line.length > data.length) throw new Refused(`${name}: expected more bytes: the picture is cut off`);
    line.set(data.subarray(at, at + line.length));
    return at + line.length;
  }
  at += 4;
  for (let channel = 0; channel < 4; channel++) {
    for (let x = 0; x < width; ) {
      const count = data[at++];
      const run = count > 128;
      const length = run ? count - 128 : count;
      if (!length || x + length > width || at >= data.length) throw new Refused(`${name}: expected runs that fill a row, got a broken one`);
      for (let k = 0; k < length; k++) line[4 * (x + k) + channel] = data[run ? at : at + k];
      at += run ? 1 : length;
      x += length;
    }
  }
  return at;
}
