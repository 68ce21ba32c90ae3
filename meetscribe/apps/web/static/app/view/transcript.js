/**
 * The transcript: groups of turns and what stands between them, drawn once per frame at most, and only what changed.
 *
 * Thousands of turns stay fast because an unchanged group is recognised by its turns' identity, and because the browser
 * skips what is out of sight (`content-visibility` in `style/transcript.css`).
 * Not covered: following the tail (`follow.js`), search (`search.js`), what a click does (`actions.js`).
 */
import { h } from "../dom.js";
import { groups, place } from "../layout.js";
import { makeMarker, markers } from "./marker.js";
import { makeTurn, updateTurn } from "./turn.js";

const GOES_ON = 30_000; // milliseconds after which a speaker's next turn has its name again

/** Draws a `MeetingLog` into an element. */
export class TranscriptView {
  #root;
  #groups = new Map(); // key -> { element, turns, names }
  #turns = new Map(); // turn id -> { element, drawn }
  #markers = new Map(); // key -> { element, text }
  #afterDraw;
  #isDue = false;

  /** `afterDraw()` is called when the elements are in place. */
  constructor(root, afterDraw) {
    this.#root = root;
    this.#afterDraw = afterDraw;
  }

  /** Draw at the next frame (soon, where the page is hidden and frames do not come). */
  schedule(log) {
    if (this.#isDue) return;
    this.#isDue = true;
    const draw = () => {
      if (!this.#isDue) return;
      this.#isDue = false;
      this.#draw(log);
    };
    if (document.visibilityState === "visible") requestAnimationFrame(draw);
    else setTimeout(draw, 200);
  }

  /** Draw no more: another meeting is shown in the same place. */
  stop() {
    this.#isDue = false;
  }

  /** Return the element of a turn. */
  elementOf(turn) {
    return this.#turns.get(turn)?.element ?? null;
  }

  #draw(log) {
    const { meeting } = log;
    const shown = allTurns(log);
    const names = JSON.stringify([...meeting.speakers]);
    const stable = new Map([...log.partials.values()].map((partial) => [partial.turn.id, partial.stable]));
    const context = { meeting, names, stable, last: [] };
    const items = this.#items(groups(shown), markers(meeting), context);
    this.#arrange(items);
    this.#forget(new Set(shown.map((turn) => turn.id)), new Set(items));
    this.#root.toggleAttribute("data-two", shown.some((turn) => turn.slot > 0) || this.#root.hasAttribute("data-two"));
    this.#afterDraw();
  }

  /** Return the elements in order. */
  #items(found, marks, context) {
    const items = [];
    let next = 0;
    for (const group of found) {
      while (next < marks.length && marks[next].at <= group[0].start) {
        context.last = [];
        items.push(this.#marker(marks[next++]));
      }
      items.push(this.#group(group, context));
    }
    for (; next < marks.length; next++) items.push(this.#marker(marks[next]));
    return items;
  }

  #group(turns, context) {
    const key = turns[0].id;
    const kept = this.#groups.get(key) ?? { element: h("div", { class: "group" }), turns: [] };
    const goesOn = turns.length === 1 && goesOnFrom(turns[0], context.last);
    const signature = `${context.names}${goesOn}${turns.map((turn) => context.stable.get(turn.id) ?? "").join()}`;
    const isSame = kept.signature === signature && sameItems(kept.turns, turns);
    context.last = turns;
    if (isSame) return kept.element;
    this.#groups.set(key, Object.assign(kept, { turns, signature }));
    const { lanes, places } = place(turns);
    kept.element.style.setProperty("--lanes", lanes);
    kept.element.toggleAttribute("data-together", turns.length > 1);
    const elements = places.map((where) => this.#turn(where, turns, goesOn, context));
    arrange(kept.element, elements);
    return kept.element;
  }

  #turn(where, group, continues, { meeting, stable }) {
    const { turn, lane, first, pieces } = where;
    const who = meeting.shownSpeaker(turn);
    const others = group.filter((other) => other !== turn && other.start <= turn.start && other.end > turn.start);
    const beside = [...new Set(others.map((other) => meeting.shownSpeaker(other)))];
    const firm = stable.get(turn.id) ?? null;
    const drawn = JSON.stringify([who, lane, first, pieces, firm, continues, beside, turn.redacted, turn.speaker_id]);
    const kept = this.#turns.get(turn.id) ?? { element: makeTurn(turn.id), drawn: "" };
    this.#turns.set(turn.id, kept);
    if (kept.drawn !== drawn) updateTurn(kept.element, { ...where, stable: firm, who, continues, beside });
    kept.drawn = drawn;
    return kept.element;
  }

  #marker(mark) {
    const kept = this.#markers.get(mark.key);
    if (kept?.text === mark.text) return kept.element;
    kept?.element.remove();
    const element = makeMarker(mark);
    this.#markers.set(mark.key, { element, text: mark.text });
    return element;
  }

  #arrange(items) {
    arrange(this.#root, items);
  }

  /** Take away what is shown no more. */
  #forget(turns, items) {
    for (const id of this.#turns.keys()) if (!turns.has(id)) this.#turns.delete(id);
    for (const [key, { element }] of this.#groups) if (!items.has(element)) this.#groups.delete(key);
  }
}

/** Return finished turns and those in progress, by start. */
function allTurns({ meeting, partials }) {
  const open = [...partials.values()].map(({ turn }) => turn);
  if (!open.length) return meeting.turns;
  return [...meeting.turns, ...open].sort((a, b) => a.start - b.start || a.end - b.end || (a.id < b.id ? -1 : 1));
}

function goesOnFrom(turn, before) {
  const last = before.at(-1);
  const isSame = before.length === 1 && last.slot === turn.slot && last.speaker_id === turn.speaker_id;
  return isSame && turn.start - last.end < GOES_ON;
}

function sameItems(a, b) {
  return a.length === b.length && a.every((item, place) => item === b[place]);
}

/** Make an element's children those given, moving only what is out of place. */
function arrange(parent, children) {
  let at = parent.firstElementChild;
  for (const child of children) {
    if (child === at) at = at.nextElementSibling;
    else parent.insertBefore(child, at);
  }
  while (at) {
    const gone = at;
    at = at.nextElementSibling;
    gone.remove();
  }
}
