// Files of the user's: meshes, lights and materials, dropped on the picture or opened.

import { finishEnvironment } from "../data/environment.js";
import { Refused } from "../data/fetching.js";
import { finishMesh } from "../data/mesh.js";
import { complain, say } from "./messages.js";
import { fillLists, toggle } from "./panel.js";

/** @import { MaterialEntry } from "../data/catalogue.js" */
/** @import { Store } from "./state.js" */
/** @import { Viewer } from "./viewer.js" */

/** Where the camera stands before a mesh of the user's, whose radius is made 1. */
const FIRST_VIEW = { origin: [0, 0.8, 5], target: [0, 0, 0], fov: 26 };
const SUFFIXES = [".glb", ".obj", ".hdr", ".exr", ".vdg"];

/** @param {Store} store @param {Viewer} viewer */
export function bindFiles(store, viewer) {
  const input = /** @type {HTMLInputElement} */ (document.getElementById("file"));
  input.addEventListener("change", () => takeAll(input.files, store, viewer));
  addEventListener("dragover", (event) => {
    event.preventDefault();
    toggle("drop", true);
  });
  addEventListener("dragleave", () => toggle("drop", false));
  addEventListener("drop", (event) => {
    event.preventDefault();
    toggle("drop", false);
    takeAll(event.dataTransfer?.files ?? null, store, viewer);
  });
}

/** @param {FileList | null} files @param {Store} store @param {Viewer} viewer */
async function takeAll(files, store, viewer) {
  for (const file of files ?? []) {
    say(`reading ${file.name}`);
    await take(file, store, viewer).then(() => say(""), complain);
  }
}

/** @param {File} file @param {Store} store @param {Viewer} viewer */
async function take(file, store, viewer) {
  const suffix = SUFFIXES.find((end) => file.name.toLowerCase().endsWith(end));
  if (!suffix) throw new Refused(`${file.name}: expected ${SUFFIXES.join(", ")}`);
  if (suffix === ".vdg") return takeMaterial(file, store);
  const bytes = await file.arrayBuffer();
  if (suffix === ".glb" || suffix === ".obj") {
    const { readGlb } = await import("../data/glb.js");
    const { readObj } = await import("../data/obj.js");
    const parts = suffix === ".glb" ? readGlb(file.name, bytes) : readObj(file.name, new TextDecoder().decode(bytes));
    viewer.givenMeshes.set(file.name, finishMesh(file.name, parts));
    store.catalogue.shapes[file.name] = { label: file.name, given: true, ...FIRST_VIEW };
    give({ shape: file.name }, store, viewer);
  } else {
    const { readHdr } = await import("../data/hdr.js");
    const { readExr } = await import("../data/exr.js");
    const picture = suffix === ".hdr" ? readHdr(file.name, bytes) : await readExr(file.name, bytes);
    viewer.givenLights.set(file.name, finishEnvironment(file.name, picture));
    store.catalogue.environments[file.name] = { label: file.name, given: true };
    give({ environment: file.name }, store, viewer);
  }
}

/** Shows what was given, in place of an earlier one of that name too. @param {{ shape: string } | { environment: string }} choice @param {Store} store @param {Viewer} viewer */
function give(choice, store, viewer) {
  fillLists(store);
  viewer.waiting.add("shape" in choice ? "shape" : "environment");
  store.set(choice);
}

/** @param {File} file @param {Store} store */
async function takeMaterial(file, store) {
  if (!store.catalogue.live) throw new Refused(`${file.name}: a page without a server cannot take materials: verdigris view ${file.name}`);
  const answer = await fetch(`materials?${new URLSearchParams({ name: file.name })}`, { method: "POST", body: file });
  if (!answer.ok) throw new Refused(await answer.text());
  store.catalogue.materials.push(/** @type {MaterialEntry} */ (await answer.json()));
  fillLists(store);
  store.set({ material: store.catalogue.materials.length - 1 });
}
