/** The page before a meeting is chosen: those that run, those of the past. */
import * as api from "../api.js";
import { byId, h, setText } from "../dom.js";
import { clock, toMs } from "../times.js";
import { STATES } from "./marker.js";

const AGAIN = 4_000; // milliseconds between two looks at the list

/** The list of meetings; `open(id)` is called for the one that is chosen. `tokenWanted(reason)` where one is needed. */
export class StartView {
  #open;
  #tokenWanted;
  #timer = null;
  #drawn = "";

  constructor({ open, tokenWanted }) {
    this.#open = open;
    this.#tokenWanted = tokenWanted;
  }

  /** Show the list and keep it up to date; with `opensOnly` the only meeting that runs is opened at once. */
  async show(opensOnly) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.show(false), AGAIN);
    let found;
    try {
      found = await api.sessions(true);
    } catch (error) {
      if (error.status === 401) {
        this.hide();
        return this.#tokenWanted(error.message);
      }
      return setText(byId("start-note"), error.message);
    }
    const running = found.filter((meeting) => meeting.running);
    if (opensOnly && running.length === 1) return this.#open(running[0].id);
    this.#draw(running, found.filter((meeting) => !meeting.running));
  }

  /** Stop looking. */
  hide() {
    clearTimeout(this.#timer);
  }

  #draw(running, past) {
    const drawn = JSON.stringify([running, past]);
    if (drawn === this.#drawn) return;
    this.#drawn = drawn;
    setText(byId("start-note"), running.length ? "" : "No meeting is running on this server. Start one with this microphone, or:");
    byId("start-hint").hidden = running.length > 0;
    byId("running").replaceChildren(...running.map((meeting) => this.#entry(meeting)));
    byId("past").replaceChildren(...past.map((meeting) => this.#entry(meeting)));
    byId("past-part").hidden = past.length === 0;
  }

  #entry({ id, title, started, state, duration, running, listeners }) {
    const facts = [
      running ? (STATES[state] ?? state) : when(started),
      duration ? clock(toMs(duration)) : "",
      running && listeners ? `${listeners} listening` : "",
    ];
    const link = h(
      "a",
      { href: `?session=${encodeURIComponent(id)}`, dataset: { session: id } },
      h("strong", {}, title || id),
      h("span", {}, facts.filter(Boolean).join(" · ")),
    );
    link.onclick = (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      this.#open(id);
    };
    return h("li", {}, link);
  }
}

function when(started) {
  const date = new Date(started);
  return Number.isNaN(date.valueOf()) ? "" : date.toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
}
