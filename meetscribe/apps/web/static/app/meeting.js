/**
 * The meeting is the fold of its durable events, exactly as `meetscribe/meeting.py` folds them.
 *
 * What a person decided outranks the tracker. An event that was applied already changes nothing; a missing one throws
 * `Hole`. Turns are values: `turns` gives the same object for a turn until what is shown of it changes.
 */
import { toMs, touches } from "./times.js";

/** Events between the last one applied and this one are missing: read the log again from `after`. */
export class Hole extends Error {
  constructor(after, seq) {
    super(`event ${seq} follows event ${after}: the events between are missing`);
    this.after = after;
  }
}

/** Set a decision { value, by }, unless a person's would be overruled by the tracker. */
function decide(known, key, value, by) {
  if (known.get(key)?.by === "person" && by === "tracker") return;
  known.set(key, { value, by });
}

/** Return an event's turn as the fold keeps it: times in milliseconds, words as they came. */
export function readTurn(turn) {
  return {
    id: turn.id,
    slot: turn.slot,
    channel: turn.channel ?? null,
    speaker_id: turn.speaker_id ?? null,
    start: toMs(turn.start),
    end: toMs(turn.end),
    text: turn.text,
    words: turn.words ?? [],
    overlaps: turn.overlaps ?? [],
    redacted: turn.redacted ?? false,
  };
}

/** Return the slot as people see it while nobody knows who speaks: A for 0, B for 1. */
export function slotLetter(slot) {
  return slot < 26 ? String.fromCharCode(65 + slot) : `slot${slot}`;
}

const interval = ({ start, end }) => ({ start, end: Math.max(start, end) });
const isGiven = (value) => value !== undefined && value !== null;

function sameTurn(a, b) {
  return (
    a.heard === b.heard &&
    a.speaker_id === b.speaker_id &&
    a.text === b.text &&
    a.redacted === b.redacted &&
    a.overlaps.length === b.overlaps.length &&
    a.overlaps.every((id, place) => id === b.overlaps[place])
  );
}

/** A meeting after `seq` durable events. */
export class Meeting {
  seq = 0;
  session = null;
  heard = new Map(); // turns as they were emitted
  names = new Map(); // what was decided: key -> { value, by }
  merges = new Map();
  assigned = new Map();
  corrections = new Map();
  gaps = [];
  bookmarks = [];
  offRecord = [];
  statuses = []; // all of them: the transcript shows when the state changed
  end = null;
  #shown = new Map();
  #turns = null;

  get id() {
    return this.session?.session ?? "";
  }

  get status() {
    return this.statuses.at(-1) ?? null;
  }

  /** The length in milliseconds; while the meeting goes on, up to the last thing that is known. */
  get duration() {
    if (this.end) return toMs(this.end.duration);
    let last = 0;
    for (const turn of this.heard.values()) last = Math.max(last, turn.end);
    for (const gap of this.gaps) last = Math.max(last, toMs(gap.end));
    return last;
  }

  /** Apply one event; ephemeral ones change nothing. */
  apply(event) {
    if (!isGiven(event.seq) || event.seq <= this.seq) return;
    if (event.seq !== this.seq + 1) throw new Hole(this.seq, event.seq);
    this.#applyNew(event);
    this.seq = event.seq;
    this.#turns = null;
  }

  /** The turns by start, with what was decided: speaker, correction, off the record; `overlaps` is mutual. */
  get turns() {
    this.#turns ??= this.#decideTurns();
    return this.#turns;
  }

  /** A Map of every speaker that exists to its name (null: not named), in order of their ids. */
  get speakers() {
    const ids = new Set(this.turns.map((turn) => turn.speaker_id).filter((id) => id !== null));
    for (const speaker of this.names.keys()) ids.add(this.resolve(speaker));
    const byId = (a, b) => a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);
    return new Map([...ids].sort(byId).map((id) => [id, this.name(id)]));
  }

  /** Return the speaker that one was merged into, itself where it was not. */
  resolve(speaker) {
    let found = speaker;
    while (this.merges.has(found)) found = this.merges.get(found).value;
    return found;
  }

  /** Return the name shown for a speaker: their own, or that of one who was merged into them. */
  name(speaker) {
    if (speaker === null) return null;
    const target = this.resolve(speaker);
    if (this.names.has(target)) return this.names.get(target).value;
    for (const [key, held] of this.names) if (this.resolve(key) === target) return held.value;
    return null;
  }

  /** Return who speaks as people see it: the name, else the speaker's id, else the slot's letter. */
  shownSpeaker(turn) {
    if (turn.speaker_id === null) return slotLetter(turn.slot);
    return this.name(turn.speaker_id) || turn.speaker_id;
  }

  /** Say whether a stretch { start, end } touches one that is off the record. */
  isHidden(stretch) {
    return this.offRecord.some((hidden) => touches(interval(stretch), hidden));
  }

  #applyNew(event) {
    switch (event.type) {
      case "session":
        this.session = event;
        break;
      case "final":
        this.heard.set(event.turn.id, readTurn(event.turn));
        break;
      case "speaker_update":
        for (const change of event.changes) this.#changeSpeaker(change, event.by ?? "tracker");
        break;
      case "correction":
        if (!event.redacted) decide(this.corrections, event.turn, event.text, event.by ?? "person");
        break;
      case "gap":
        this.gaps.push(event);
        break;
      case "bookmark":
        this.bookmarks.push(event);
        break;
      case "off_record":
        this.offRecord.push(interval({ start: toMs(event.start), end: toMs(event.end) }));
        break;
      case "status":
        this.statuses.push(event);
        break;
      case "end":
        this.end = event;
        break;
    }
  }

  #changeSpeaker(change, by) {
    const speaker = change.speaker_id;
    if (isGiven(change.into)) this.#merge(speaker, change.into, by);
    if (isGiven(change.speaker)) decide(this.names, speaker, change.speaker, by);
    for (const turn of change.turns ?? []) decide(this.assigned, turn, speaker, by);
  }

  #merge(speaker, into, by) {
    if (this.resolve(into) === this.resolve(speaker)) return;
    if (by === "tracker" && this.names.get(speaker)?.by === "person") return;
    decide(this.merges, speaker, into, by);
  }

  #decideTurns() {
    const later = new Map();
    for (const turn of this.heard.values())
      for (const other of turn.overlaps) later.set(other, [...(later.get(other) ?? []), turn.id]);
    const shown = new Map();
    for (const turn of this.heard.values()) {
      const decided = this.#decided(turn, later.get(turn.id) ?? []);
      const before = this.#shown.get(turn.id);
      shown.set(turn.id, before && sameTurn(before, decided) ? before : decided);
    }
    this.#shown = shown;
    return [...shown.values()].sort((a, b) => a.start - b.start || a.end - b.end || (a.id < b.id ? -1 : 1));
  }

  #decided(heard, overlappedBy) {
    const turn = { ...heard, heard };
    if (this.assigned.has(turn.id)) turn.speaker_id = this.assigned.get(turn.id).value;
    if (turn.speaker_id !== null) turn.speaker_id = this.resolve(turn.speaker_id);
    if (this.corrections.has(turn.id) && !turn.redacted) turn.text = this.corrections.get(turn.id).value;
    const added = overlappedBy.filter((other) => !heard.overlaps.includes(other));
    if (added.length) turn.overlaps = [...heard.overlaps, ...added];
    if (this.isHidden(heard)) Object.assign(turn, { text: "", words: [], redacted: true });
    return turn;
  }
}

/** Return the meeting that a log makes. */
export function fold(events) {
  const meeting = new Meeting();
  for (const event of events) meeting.apply(event);
  return meeting;
}
