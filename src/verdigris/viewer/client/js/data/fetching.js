// Files of the page's own host, with errors of one line.

/** A failure that is told to the user as it is. */
export class Refused extends Error {}

/** @param {string} path @returns {Promise<Response>} */
async function get(path) {
  let answer;
  try {
    answer = await fetch(path);
  } catch {
    throw new Refused(`${path}: cannot be reached: has the viewer's server been stopped?`);
  }
  if (!answer.ok) throw new Refused(`${path}: expected a file, got the answer ${answer.status}`);
  return answer;
}

/** @param {string} path @returns {Promise<unknown>} */
export async function fetchJson(path) {
  return (await get(path)).json();
}

/** @param {string} path @returns {Promise<string>} */
export async function fetchText(path) {
  return (await get(path)).text();
}

/** @param {string} path @returns {Promise<ArrayBuffer>} */
export async function fetchBytes(path) {
  return (await get(path)).arrayBuffer();
}

/** A file that was compressed by gzip, whatever the host calls it. @param {string} path @returns {Promise<ArrayBuffer>} */
export async function fetchPacked(path) {
  return inflate(await fetchBytes(path), "gzip");
}

/**
 * @param {ArrayBuffer | Uint8Array} bytes
 * @param {CompressionFormat} format
 * @returns {Promise<ArrayBuffer>}
 */
export async function inflate(bytes, format) {
  const stream = new Blob([/** @type {BlobPart} */ (bytes)]).stream().pipeThrough(new DecompressionStream(format));
  return new Response(stream).arrayBuffer();
}
