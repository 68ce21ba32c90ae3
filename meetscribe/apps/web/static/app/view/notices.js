/** Short messages at the edge of the page, and what is read aloud. */
import { byId, h } from "../dom.js";
import { preference } from "../preferences.js";

const STAYS = 8_000; // milliseconds
const READ = 4; // finished turns that are kept for being read aloud

/** Show a message for a while; a new one of the same text takes its place. */
export function notice(text) {
  const list = byId("notices");
  for (const shown of [...list.children]) if (shown.firstChild.textContent === text) shown.remove();
  const close = h("button", { type: "button", "aria-label": "Close this message" }, "×");
  const shown = h("p", {}, h("span", {}, text), close);
  close.onclick = () => shown.remove();
  list.append(shown);
  setTimeout(() => shown.remove(), STAYS);
}

/**
 * Have a finished turn read aloud by screen readers, in its own live region.
 *
 * The transcript itself is none: words that change while somebody speaks would be read over and over.
 */
export function announce(who, text) {
  if (!preference("announce") || !text) return;
  const log = byId("announcements");
  log.append(h("p", {}, `${who}: ${text}`));
  while (log.children.length > READ) log.firstElementChild.remove();
}
