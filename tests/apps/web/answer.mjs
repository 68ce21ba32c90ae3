// Answers each line on stdin, {"task", "given"} as JSON, with a line on stdout: what the client's modules make of it.
import { createInterface } from "node:readline";

const app = new URL("../../../meetscribe/apps/web/static/app/", import.meta.url);
const load = (name) => import(new URL(name, app));
const { MeetingLog } = await load("log.js");
const { FORMATS } = await load("formats.js");
const { groups, place, wordsOf } = await load("layout.js");
const { fold, readTurn } = await load("meeting.js");

function receiveAll(events) {
  const log = new MeetingLog();
  for (const event of events) log.receive(event);
  return log;
}

const decisions = (map) => Object.fromEntries(map);

const TASKS = {
  fold(events) {
    const meeting = fold(events);
    return {
      seq: meeting.seq,
      duration: meeting.duration,
      speakers: Object.fromEntries(meeting.speakers),
      order: [...meeting.speakers.keys()],
      names: decisions(meeting.names),
      merges: decisions(meeting.merges),
      assigned: decisions(meeting.assigned),
      corrections: decisions(meeting.corrections),
      status: meeting.status?.state ?? null,
    };
  },
  formats(events) {
    const log = receiveAll(events);
    const made = FORMATS.filter(({ encode }) => encode);
    return Object.fromEntries(made.map(({ name, encode }) => [name, encode(log)]));
  },
  partials(events) {
    return [...receiveAll(events).partials.values()].map(({ turn }) => turn.id);
  },
  layout(turns) {
    return groups(turns.map(readTurn)).map((group) => {
      const { rows, lanes, places } = place(group);
      const shown = places.map(({ turn, lane, first, pieces }) => ({
        turn: turn.id,
        lane,
        first,
        pieces: pieces.map((piece) => piece.map(({ text }) => text).join(" ")),
        times: wordsOf(turn).map(({ time }) => time),
      }));
      return { rows, lanes, places: shown };
    });
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const { task, given } = JSON.parse(line);
  let answer;
  try {
    answer = { value: TASKS[task](given) };
  } catch (error) {
    answer = { error: String(error) };
  }
  process.stdout.write(JSON.stringify(answer) + "\n");
}
