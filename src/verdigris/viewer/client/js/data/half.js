// Numbers of 16 bits: tables and conversions.

/** Largest finite number of 16 bits. */
export const HALF_MAX = 65504;

/** @type {Float32Array | null} */
let table = null;

/** @param {number} bits @returns {number} */
function decode(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** The value of each of the 65536 numbers. @returns {Float32Array} */
export function halfTable() {
  if (!table) table = Float32Array.from({ length: 65536 }, (_, bits) => decode(bits));
  return table;
}

const asFloat = new Float32Array(1);
const asBits = new Uint32Array(asFloat.buffer);

/** The nearest number of 16 bits, ties to even; what is too large becomes the largest. @param {number} value */
export function toHalf(value) {
  asFloat[0] = Math.min(Math.max(value, -HALF_MAX), HALF_MAX);
  const bits = asBits[0];
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude < 0x38800000) return sign | Math.round(Math.abs(asFloat[0]) * 2 ** 24);
  return sign | ((magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13);
}
