// What there is to be seen, as the page's host lists it: `Site.catalogue` of viewer/site.py.

import { fetchJson } from "./fetching.js";

/**
 * name: as the user knows it. folder: of its files. width, height: of level 0, texels. heads: what it answers beside its
 * response. network: its sizes. weights: how many. bytes: of its file. reference: whether its source can be rendered.
 * @typedef {{ name: string, folder: string, width: number, height: number, levels: number, channels: number,
 *   heads: string[], network: string, weights: number, bytes: number, reference: boolean }} MaterialEntry
 */

/**
 * Where the camera stands first; fov: degrees, of the shorter side. given: by the user, not by the host.
 * @typedef {{ label: string, origin: number[], target: number[], fov: number, given?: boolean }} ShapeEntry
 */

/** @typedef {{ label: string, given?: boolean }} LightEntry */

/**
 * live: whether a server stands behind the page. shapes, environments: by name.
 * @typedef {{ live: boolean, materials: MaterialEntry[], shapes: Record<string, ShapeEntry>,
 *   environments: Record<string, LightEntry> }} Catalogue
 */

/** @returns {Promise<Catalogue>} */
export async function loadCatalogue() {
  return /** @type {Catalogue} */ (await fetchJson("catalogue.json"));
}
