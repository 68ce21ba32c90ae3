/** The server's HTTP requests (`docs/protocol.md`, "Meetings over HTTP") and addresses, and the token for both. */

const KEY = "meetscribe.token";

/** An answer that is not the one that was asked for. */
export class Refused extends Error {
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** Return the token that was given on this page or remembered, "" without one. */
export function token() {
  return sessionStorage.getItem(KEY) ?? localStorage.getItem(KEY) ?? "";
}

/** Keep a token for this tab, and on this device where that is wanted; "" forgets it. */
export function setToken(value, isRemembered = false) {
  sessionStorage.removeItem(KEY);
  localStorage.removeItem(KEY);
  if (value) (isRemembered ? localStorage : sessionStorage).setItem(KEY, value);
}

/** Return the address of a meeting's WebSocket. */
export function socketAddress(session) {
  const url = new URL(`ws/${encodeURIComponent(session)}`, document.baseURI);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}

async function get(path, query = {}) {
  const url = new URL(`api/${path}`, document.baseURI);
  for (const [name, value] of Object.entries(query)) if (value !== null) url.searchParams.set(name, value);
  const headers = token() ? { Authorization: `Bearer ${token()}` } : {};
  let response;
  try {
    response = await fetch(url, { headers, cache: "no-store" });
  } catch {
    throw new Refused(0, "unreachable", "The server cannot be reached.");
  }
  if (response.ok) return response;
  const said = await response.json().catch(() => ({}));
  const message = said.error?.message ?? `The server answered ${response.status}.`;
  throw new Refused(response.status, said.error?.code ?? "", message);
}

/** Return the meetings that run, and those that are over where `past`. */
export async function sessions(past = false) {
  return (await (await get("sessions", { past: past ? 1 : null })).json()).sessions;
}

/** Return one meeting's entry; `audio` says whether there is sound to hear. */
export async function session(id) {
  return (await get(`sessions/${encodeURIComponent(id)}`)).json();
}

/** Return the sound of a stretch of a meeting (seconds), of one channel or mixed, or of one slot's voice alone. */
export async function sound(id, { start, end, channel = null, slot = null }) {
  const query = { start: start.toFixed(3), end: end.toFixed(3), channel, slot };
  return (await get(`sessions/${encodeURIComponent(id)}/audio`, query)).blob();
}

/** Return a transcript in a format that the server makes. */
export async function transcript(id, format) {
  return (await get(`sessions/${encodeURIComponent(id)}/export`, { format })).blob();
}
