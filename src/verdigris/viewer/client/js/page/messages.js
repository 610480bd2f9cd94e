// One line for the user: what is going on, or what went wrong.

import { Refused } from "../data/fetching.js";

const SECONDS = 12;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

/** @param {string} text empty: nothing to say @param {"note" | "error"} kind */
export function say(text, kind = "note") {
  const line = /** @type {HTMLElement} */ (document.getElementById("message"));
  line.textContent = text;
  line.dataset.kind = kind;
  clearTimeout(timer);
  if (kind === "error") timer = setTimeout(() => say(""), SECONDS * 1000);
}

/** @param {unknown} error what the user can help is told as it is, the rest as a failure of ours */
export function complain(error) {
  const known = error instanceof Refused;
  say(known ? error.message : `failed: ${error instanceof Error ? error.message : error}`, "error");
  if (!known) console.error(error);
}
