// The numbers under the controls.

/** @import { Viewer } from "./viewer.js" */

/** @param {Viewer} viewer */
export function showStatistics({ renderer, store, half, milliseconds, firstPicture }) {
  if (!renderer) return;
  const entry = store.catalogue.materials[store.state.material];
  const { width, height } = renderer.canvas;
  put("stat-renderer", `${renderer.kind}${renderer.slow ? ", no graphics processor" : ""}`);
  put("stat-samples", String(renderer.samples));
  put("stat-time", milliseconds ? `${milliseconds.toFixed(milliseconds < 10 ? 1 : 0)} ms` : "");
  put("stat-first", firstPicture ? `${(firstPicture / 1000).toFixed(1)} s` : "");
  put("stat-size", `${width} × ${height}`);
  put("stat-material", `${megabytes(entry.bytes)}, ${entry.width} × ${entry.height} × ${entry.channels}, ${entry.levels} levels`);
  put("stat-network", `${entry.network}, ${entry.weights} weights, ${half ? 16 : 32} bits`);
  put("stat-memory", megabytes(renderer.bytes));
}

/** @param {string} id @param {string} text */
function put(id, text) {
  const place = /** @type {HTMLElement} */ (document.getElementById(id));
  if (place.textContent !== text) place.textContent = text;
}

/** @param {number} bytes */
function megabytes(bytes) {
  return `${(bytes / 1e6).toFixed(bytes < 1e6 ? 2 : 1)} MB`;
}
