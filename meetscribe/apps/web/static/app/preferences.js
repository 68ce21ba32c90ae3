/** What a person chose on this device: light or dark, what is read aloud, single-key shortcuts. */

const DEFAULTS = { theme: "auto", announce: true, shortcuts: true, echo: false, format: "text", microphone: "" };
const THEMES = ["auto", "light", "dark"];

/** Return a preference. */
export function preference(name) {
  const kept = localStorage.getItem(`meetscribe.${name}`);
  if (kept === null) return DEFAULTS[name];
  return typeof DEFAULTS[name] === "boolean" ? kept === "true" : kept;
}

/** Keep a preference. */
export function prefer(name, value) {
  localStorage.setItem(`meetscribe.${name}`, String(value));
  if (name === "theme") applyTheme();
}

/** Show the page light or dark: as the system says unless a person chose. */
export function applyTheme() {
  document.documentElement.dataset.theme = preference("theme");
}

/** Choose the next theme and return it. */
export function nextTheme() {
  const next = THEMES[(THEMES.indexOf(preference("theme")) + 1) % THEMES.length];
  prefer("theme", next);
  return next;
}
