// Buttons: the picture as a file, the view as it was, light or dark.

/** @import { Store } from "./state.js" */
/** @import { Viewer } from "./viewer.js" */

const THEMES = ["auto", "light", "dark"];

/** @param {Store} store @param {Viewer} viewer */
export function bindScreenshot(store, viewer) {
  document.getElementById("screenshot")?.addEventListener("click", async () => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(await viewer.screenshot());
    const { name } = store.catalogue.materials[store.state.material];
    link.download = `${name.replace(/[^\w.-]+/g, "_") || "material"}.png`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  });
  document.getElementById("reset")?.addEventListener("click", () => {
    store.set({ camera: store.firstCamera(store.state.shape), rotation: 0, exposure: 0 });
  });
}

export function bindTheme() {
  const button = /** @type {HTMLElement} */ (document.getElementById("theme"));
  let theme = localStorage.getItem("verdigris-theme") ?? THEMES[0];
  const show = () => {
    document.documentElement.dataset.theme = theme;
    button.textContent = { auto: "◐", light: "○", dark: "●" }[theme] ?? "◐";
    button.title = `Colours: ${theme}`;
  };
  button.addEventListener("click", () => {
    theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
    localStorage.setItem("verdigris-theme", theme);
    show();
  });
  show();
}
