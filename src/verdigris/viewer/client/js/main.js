// The page's start.

import { loadCatalogue } from "./data/catalogue.js";
import { bindControls } from "./page/controls.js";
import { bindFiles } from "./page/files.js";
import { complain } from "./page/messages.js";
import { bindPanel } from "./page/panel.js";
import { bindScreenshot, bindTheme } from "./page/actions.js";
import { Store } from "./page/state.js";
import { Viewer } from "./page/viewer.js";

async function start() {
  const catalogue = await loadCatalogue();
  const store = new Store(catalogue, location.hash);
  const query = new URLSearchParams(location.search);
  const viewer = new Viewer(store, { renderer: query.get("renderer"), side: Number(query.get("side")) || null });
  bindPanel(store, /** @type {HTMLElement} */ (document.querySelector("main")));
  bindControls(/** @type {HTMLElement} */ (document.getElementById("picture")), store);
  bindFiles(store, viewer);
  bindTheme();
  bindScreenshot(store, viewer);
  store.addEventListener("change", () => history.replaceState(null, "", `${location.pathname}${location.search}#${store.hash()}`));
  addEventListener("hashchange", () => store.set(new Store(catalogue, location.hash).state));
  // For tests, and for whoever looks in from the console.
  Object.assign(window, { viewer });
  await viewer.run();
}

start().catch(complain);
