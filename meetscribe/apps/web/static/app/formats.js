/**
 * Transcripts made in the page, so that they can be saved also while the server cannot be reached.
 *
 * They are what `meetscribe export` writes (`meetscribe/formats/`). Each takes a `MeetingLog` and returns a string.
 */
import { split } from "./layout.js";
import { toSeconds } from "./times.js";

const OFF_RECORD = "[off the record]";

function shown(meeting) {
  return meeting.turns
    .map((turn) => ({
      turn,
      who: meeting.shownSpeaker(turn),
      text: turn.redacted ? OFF_RECORD : split(turn.text).join(" "),
    }))
    .filter(({ text }) => text);
}

function text({ meeting }) {
  return shown(meeting)
    .map(({ who, text }) => `${who}: ${text}\n`)
    .join("");
}

function jsonTurn(turn, meeting) {
  const written = {
    id: turn.id,
    slot: turn.slot,
    channel: turn.channel,
    speaker_id: turn.speaker_id,
    speaker: meeting.name(turn.speaker_id),
    start: toSeconds(turn.start),
    end: toSeconds(turn.end),
    text: turn.text,
    words: turn.words,
    overlaps: turn.overlaps,
  };
  return turn.redacted ? { ...written, redacted: true } : written;
}

function json({ meeting }) {
  const gaps = meeting.gaps.map(({ channel = null, start, end, reason }) => ({ channel, start, end, reason }));
  const document = {
    version: 1,
    session: meeting.id,
    duration: toSeconds(meeting.duration),
    model: meeting.session?.model ?? null,
    turns: meeting.turns.map((turn) => jsonTurn(turn, meeting)),
    gaps,
  };
  return JSON.stringify(document, null, 2) + "\n";
}

function jsonl({ meeting, events }) {
  const named = (event) =>
    event.type === "final" ? { ...event, turn: { ...event.turn, speaker: namedAs(event.turn, meeting) } } : event;
  return events.map((event) => JSON.stringify(named(event)) + "\n").join("");
}

/** Return the name of the speaker that a final was written with, as `jsonl.py` looks it up: by its own id. */
function namedAs(turn, meeting) {
  const speaker = turn.speaker_id ?? null;
  return speaker !== null && meeting.speakers.has(speaker) ? meeting.name(speaker) : null;
}

/**
 * The formats in the order in which they are offered; those without `encode` are made by the server
 * (`GET /api/sessions/<id>/export`), and need it.
 */
export const FORMATS = [
  { name: "text", extension: ".txt", label: "Text", mime: "text/plain", encode: text },
  { name: "md", extension: ".md", label: "Markdown" },
  { name: "docx", extension: ".docx", label: "Word document" },
  { name: "html", extension: ".html", label: "Web page" },
  { name: "vtt", extension: ".vtt", label: "Subtitles (WebVTT)" },
  { name: "srt", extension: ".srt", label: "Subtitles (SubRip)" },
  { name: "csv", extension: ".csv", label: "Table (CSV)" },
  { name: "json", extension: ".json", label: "JSON", mime: "application/json", encode: json },
  { name: "jsonl", extension: ".jsonl", label: "JSON lines, all events", mime: "application/jsonl", encode: jsonl },
  { name: "seglst", extension: ".seglst.json", label: "SegLST" },
  { name: "rttm", extension: ".rttm", label: "RTTM" },
];
