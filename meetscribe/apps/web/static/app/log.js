/**
 * What this page knows of a meeting: the durable events themselves, their fold, and what goes on right now.
 *
 * What goes off the record is emptied here too, in the events that were kept for a download.
 * Ephemeral state (`partials`, `levels`, `behind`, `now`) is forgotten when the connection is made anew.
 */
import { Meeting, readTurn } from "./meeting.js";
import { toMs, touches } from "./times.js";

/** A meeting as it is heard: feed it every event in the order in which they come. */
export class MeetingLog {
  meeting = new Meeting();
  events = [];
  partials = new Map(); // turn id -> { turn, revision, stable }
  levels = [];
  behind = 0; // milliseconds that the transcript is behind the audio
  now = 0; // the latest meeting time that was heard of
  progress = null;
  #over = new Set(); // turns that ended: their final is the next event, or never comes

  /** Take one event; returns true when it is durable and new. */
  receive(event) {
    const isNew = event.seq !== undefined && event.seq > this.meeting.seq;
    if (event.seq !== undefined && !isNew) return false;
    this.#dropOver(event);
    if (isNew) this.#keep(event);
    else this.#show(event);
    this.now = Math.max(this.now, toMs(event.at ?? 0));
    return isNew;
  }

  /** Forget what went on: the connection was cut, and what is said now comes anew. */
  interrupt() {
    this.partials.clear();
    this.#over.clear();
    this.levels = [];
  }

  #keep(event) {
    this.meeting.apply(event);
    this.events.push(event);
    if (event.type === "final") {
      this.partials.delete(event.turn.id);
      for (const hidden of this.meeting.offRecord) this.#redact(hidden, this.events.length - 1);
    }
    if (event.type === "off_record") this.#redact(this.meeting.offRecord.at(-1));
    if (event.type === "end") this.interrupt();
  }

  #show(event) {
    switch (event.type) {
      case "partial": {
        const turn = readTurn(event.turn);
        const known = this.partials.get(turn.id);
        if (this.meeting.heard.has(turn.id) || (known && known.revision > event.revision)) return;
        if (!this.meeting.isHidden(turn))
          this.partials.set(turn.id, { turn, revision: event.revision, stable: event.stable });
        break;
      }
      case "turn_end":
        this.#over.add(event.turn);
        break;
      case "level":
        this.levels = event.levels;
        break;
      case "lag":
        this.behind = toMs(event.behind);
        break;
      case "progress":
        this.progress = event;
        break;
    }
  }

  #dropOver(event) {
    for (const id of this.#over) if (event.type !== "final" || event.turn.id !== id) this.partials.delete(id);
    this.#over.clear();
  }

  /** Empty the finals, from a place of the log on, their corrections and the partials that touch a stretch. */
  #redact(hidden, from = 0) {
    const gone = new Set();
    for (let place = from; place < this.events.length; place++) {
      const kept = this.events[place];
      if (kept.type !== "final" || !touches(readTurn(kept.turn), hidden)) continue;
      gone.add(kept.turn.id);
      this.events[place] = { ...kept, turn: { ...kept.turn, text: "", words: [], redacted: true } };
    }
    if (gone.size)
      this.events = this.events.map((kept) =>
        kept.type === "correction" && gone.has(kept.turn) ? { ...kept, text: "", redacted: true } : kept,
      );
    for (const [id, { turn }] of this.partials) if (touches(turn, hidden)) this.partials.delete(id);
  }
}
