/** What stands between turns: gaps, bookmarks, what is off the record, changes of state, the end. */
import { h, icon } from "../dom.js";
import { clock, duration, toMs } from "../times.js";

/** What people read for each state. */
export const STATES = {
  listening: "Listening",
  paused: "Paused",
  degraded: "Recording; the words come later",
  device_lost: "The microphone is gone",
  recovering: "Catching up",
  stopped: "Stopped",
};

/** Return what stands between turns as { key, at (ms), kind, symbol, text }, by time. */
export function markers(meeting) {
  const made = [];
  for (const gap of meeting.gaps) {
    const where = gap.channel === null || gap.channel === undefined ? "" : ` on input ${gap.channel + 1}`;
    const text = `${duration(toMs(gap.end) - toMs(gap.start))} missing${where}: ${gap.reason}`;
    made.push({ key: `gap-${gap.seq}`, at: toMs(gap.start), kind: "gap", symbol: "gap", text });
  }
  for (const mark of meeting.bookmarks)
    made.push({ key: `bookmark-${mark.seq}`, at: toMs(mark.at), kind: "bookmark", symbol: "bookmark", text: mark.note || "Bookmark" });
  for (const [place, { start, end }] of meeting.offRecord.entries())
    made.push({ key: `off-${place}`, at: start, kind: "off", symbol: "off", text: `Off the record until ${clock(end)}` });
  made.push(...stateMarkers(meeting.statuses));
  if (meeting.end) {
    const text = `The meeting ended after ${clock(toMs(meeting.end.duration))}: ${meeting.end.reason}`;
    made.push({ key: "end", at: Infinity, kind: "end", symbol: "stop", text });
  }
  return made.sort((a, b) => a.at - b.at);
}

function stateMarkers(statuses) {
  const made = [];
  let before = "listening";
  for (const { seq, at, state, reason } of statuses) {
    if (state === before || state === "stopped") continue;
    before = state;
    const text = reason ? `${STATES[state]}: ${reason}` : STATES[state];
    made.push({ key: `state-${seq}`, at: toMs(at), kind: "state", symbol: state === "paused" ? "pause" : "state", text });
  }
  return made;
}

/** Return a marker's element. */
export function makeMarker({ key, at, kind, symbol, text }) {
  const time = Number.isFinite(at) ? h("time", {}, clock(at)) : null;
  return h("p", { class: `marker ${kind}`, dataset: { marker: kind, key } }, icon(symbol), h("span", {}, text), time);
}
