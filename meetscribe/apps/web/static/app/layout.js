/**
 * Where turns stand: groups of turns that share time, in lanes (columns) and rows in which time runs downwards for all.
 *
 * A row begins where somebody begins to speak, and every few seconds while two go on talking; what stands in one row was
 * said at about the same time. Pure: it knows no elements. Not covered: widths; the browser breaks lines.
 */

import { toMs } from "./times.js";

const SAME_START = 300; // milliseconds: who begin this close to each other begin in one row
const ROW_LASTS = 5_000; // while two go on talking, a row is no longer than this

/** Characters that Python's `str.split` takes for space: both folds count the same words. */
const SPACE = /[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/u;

/** Return the words of a text. */
export function split(text) {
  return text.split(SPACE).filter(Boolean);
}

/**
 * Return a turn's words as { text, time, confidence }, times never running backwards.
 * Where the words' times do not belong to the text (a correction), they are spread evenly over the turn.
 */
export function wordsOf(turn) {
  const texts = split(turn.text);
  const isOwn = turn.words.length === texts.length;
  let latest = turn.start;
  return texts.map((text, place) => {
    const own = isOwn ? turn.words[place] : null;
    const spread = turn.start + Math.floor(((turn.end - turn.start) * place) / texts.length);
    const time = Math.min(own ? toMs(own.start) : spread, Math.max(turn.end - 1, turn.start));
    latest = Math.max(latest, time);
    return { text, time: latest, confidence: own && own.word === text ? (own.confidence ?? 1) : 1 };
  });
}

/** Return the lists of turns that share time, directly or through others; `turns` are in order of their start. */
export function groups(turns) {
  const found = [];
  let end = -1;
  for (const turn of turns) {
    if (found.length && turn.start < end) found.at(-1).push(turn);
    else found.push([turn]);
    end = Math.max(end, turn.end);
  }
  return found;
}

/** Return the lane of each turn of a group: its slot's, or the first free one where others talk there already. */
export function lanes(group) {
  const busyUntil = [];
  return group.map((turn) => {
    const isFree = (lane) => (busyUntil[lane] ?? -1) <= turn.start;
    let lane = turn.slot;
    if (!isFree(lane)) lane = [0, 1].find(isFree) ?? 2;
    while (!isFree(lane)) lane++;
    busyUntil[lane] = Math.max(turn.end, turn.start + 1);
    return lane;
  });
}

/** Return the times at which the rows of a group begin. */
function rowStarts(group, laneOf, words) {
  const starts = [];
  group.forEach((turn, number) => {
    const isBusy = (time) => group.some((other, at) => at < number && laneOf[at] === laneOf[number] && other.end > time);
    if (!starts.some((time) => turn.start - time < SAME_START && !isBusy(time))) starts.push(turn.start);
  });
  return group.length > 1 ? withLongOnes(starts, group, words) : starts;
}

/** Add rows inside of long stretches in which two talk, each at the start of a word. */
function withLongOnes(times, group, words) {
  const all = words.flat().sort((a, b) => a.time - b.time);
  const made = [...times];
  let row = times[0];
  let next = 1;
  for (const { time } of all) {
    while (next < times.length && times[next] <= time) row = times[next++];
    const talking = group.filter((turn) => turn.start <= time && time < turn.end).length;
    if (talking < 2 || time - row < ROW_LASTS) continue;
    made.push(time);
    row = time;
  }
  return made.sort((a, b) => a - b);
}

/**
 * Return the rows of a group: { rows, lanes, places }, a place for each turn:
 * { turn, lane, first, pieces } with `pieces[n]` the words in row `first + n`, empty ones at the end left out.
 */
export function place(group) {
  const laneOf = lanes(group);
  const words = group.map(wordsOf);
  const starts = rowStarts(group, laneOf, words);
  const rowOf = (time) => Math.max(0, starts.findLastIndex((start) => start <= time));
  const places = group.map((turn, number) => {
    const first = rowOf(turn.start);
    const pieces = [];
    for (const word of words[number]) (pieces[rowOf(word.time) - first] ??= []).push(word);
    return { turn, lane: laneOf[number], first, pieces: Array.from(pieces, (piece) => piece ?? []) };
  });
  return { rows: starts.length, lanes: Math.max(2, ...laneOf.map((lane) => lane + 1)), places };
}
