/** Single-key shortcuts, outside of text fields; a person can turn them off. */
import { preference } from "./preferences.js";

/** Call `actions[key]()` for keys that are pressed alone. */
export function listenToKeys(actions) {
  document.addEventListener("keydown", (event) => {
    if (!preference("shortcuts") || event.altKey || event.ctrlKey || event.metaKey || event.defaultPrevented) return;
    if (event.target.closest?.("input, textarea, select, dialog")) return;
    const action = actions[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  });
}
