/** Meeting time: whole milliseconds inside, seconds with three decimals in events. */

/** Return milliseconds of an event's seconds. */
export function toMs(seconds) {
  return Math.round(seconds * 1000);
}

/** Return the seconds, with three decimals, of milliseconds. */
export function toSeconds(ms) {
  return ms / 1000;
}

/** Return a meeting time as people read it: `0:07`, `12:34`, `1:02:03`. */
export function clock(ms) {
  const whole = Math.floor(Math.max(ms, 0) / 1000);
  const seconds = String(whole % 60).padStart(2, "0");
  const minutes = Math.floor(whole / 60) % 60;
  const hours = Math.floor(whole / 3600);
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${seconds}` : `${minutes}:${seconds}`;
}

/** Return a length of time as people say it: `0.4 s`, `12 s`, `3 min`. */
export function duration(ms) {
  if (ms < 9_950) return `${(Math.max(ms, 0) / 1000).toFixed(1)} s`;
  if (ms < 120_000) return `${Math.round(ms / 1000)} s`;
  return `${Math.round(ms / 60_000)} min`;
}

/** Say whether two stretches { start, end } share time; an empty one does when it lies inside the other. */
export function touches(a, b) {
  const start = Math.max(a.start, b.start);
  const end = Math.min(a.end, b.end);
  return a.start === a.end || b.start === b.end ? start <= end : start < end;
}
