// The controls: each with `data-field` shows one number, name or switch of the state, and changes it.

/** @import { Store } from "./state.js" */

/** @typedef {HTMLInputElement | HTMLSelectElement} Control */

/** @type {Record<string, string>} */
const UNITS = { rotation: "°", exposure: " EV" };

/** Fills the lists and binds every control. @param {Store} store @param {HTMLElement} root */
export function bindPanel(store, root) {
  fillLists(store);
  for (const control of controls(root)) {
    control.addEventListener("input", () => store.set({ [String(control.dataset.field)]: valueOf(control) }));
  }
  store.addEventListener("change", (event) => {
    if (/** @type {CustomEvent<Set<string>>} */ (event).detail.has("material")) fillLevels(store);
    showAll(store, root);
  });
  showAll(store, root);
}

/** The lists of what there is; called again when there is more. @param {Store} store */
export function fillLists(store) {
  const { materials, shapes, environments } = store.catalogue;
  fill("materials", materials.map((entry, k) => [String(k), entry.name]));
  fill("shapes", Object.entries(shapes).map(([name, shape]) => [name, shape.label]));
  fill("environments", Object.entries(environments).map(([name, light]) => [name, light.label]));
  fillLevels(store);
}

/** Those of the material that is shown. @param {Store} store */
function fillLevels(store) {
  const levels = store.catalogue.materials[store.state.material]?.levels ?? 1;
  fill("levels", [["-1", "By footprint"], ...Array.from({ length: levels }, (_, k) => [String(k), k === 0 ? "0 (finest)" : String(k)])]);
}

/** @param {HTMLElement} root @returns {Control[]} */
function controls(root) {
  return /** @type {Control[]} */ ([...root.querySelectorAll("[data-field]")]);
}

/** @param {Control} control */
function valueOf(control) {
  if (control instanceof HTMLInputElement && control.type === "checkbox") return control.checked;
  const numeric = control.type === "range" || control.id === "materials" || control.id === "levels";
  return numeric ? Number(control.value) : control.value;
}

/** @param {Store} store @param {HTMLElement} root */
function showAll(store, root) {
  const { state } = store;
  /** @type {Record<string, unknown>} */
  const values = { ...state };
  for (const control of controls(root)) {
    const field = String(control.dataset.field);
    if (control instanceof HTMLInputElement && control.type === "checkbox") control.checked = Boolean(values[field]);
    else control.value = String(values[field]);
    const output = control.parentElement?.querySelector(".value");
    if (output) output.textContent = outputOf(field, Number(values[field]));
  }
  const channels = store.catalogue.materials[state.material]?.channels ?? 8;
  const slider = /** @type {HTMLInputElement} */ (document.querySelector("[data-field=channel]"));
  slider.max = String(Math.max(channels - 3, 0));
  toggle("channel-row", state.view === "latents");
}

/** @param {string} field @param {number} value */
function outputOf(field, value) {
  if (field === "channel") return `${value} to ${value + 2}`;
  return `${value}${UNITS[field] ?? ""}`;
}

/** @param {string} id @param {string[][]} options */
function fill(id, options) {
  const list = /** @type {HTMLSelectElement} */ (document.getElementById(id));
  const chosen = list.value;
  list.replaceChildren(...options.map(([value, text]) => new Option(text, value)));
  list.value = chosen;
}

/** @param {string} id @param {boolean} shown */
export function toggle(id, shown) {
  /** @type {HTMLElement} */ (document.getElementById(id)).hidden = !shown;
}
