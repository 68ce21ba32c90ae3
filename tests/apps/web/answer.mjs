// Answers each line on stdin, {"task", "given"} as JSON, with a line on stdout: what the client's modules make of it.
import { createInterface } from "node:readline";

const app = new URL("../../../meetscribe/apps/web/static/app/", import.meta.url);
const load = (name) => import(new URL(name, app));
const { MeetingLog } = await load("log.js");
const { FORMATS } = await load("formats.js");
const { groups, place, wordsOf } = await load("layout.js");
const { Uplink } = await load("uplink.js");
const { fold, readTurn } = await load("meeting.js");

function receiveAll(events) {
  const log = new MeetingLog();
  for (const event of events) log.receive(event);
  return log;
}

const decisions = (map) => Object.fromEntries(map);

/** A server for one stream, and the browser's parts that an uplink uses; time stands still, timers wait to be run. */
class FakeWorld {
  received = []; // samples in memory
  safe = 0; // how many of them are on the disk
  expected = 0; // position after the last one in memory
  onDisk = 0; // position after the last one on the disk
  jumps = 0;
  socket = null;
  timers = new Map();
  tasks = [];
  Date = { now: () => 0 };
  Math = { random: () => 0.5 };
  WebSocket = makeSocketClass(this);
  setTimeout = (task, delay) => {
    const id = {};
    if (delay < 10_000) this.timers.set(id, task); // not the one that waits for a greeting
    return id;
  };
  clearTimeout = (id) => this.timers.delete(id);
  queueMicrotask = (task) => this.tasks.push(task);

  settle() {
    while (this.tasks.length) this.tasks.shift()();
  }

  /** Keep what came, and say so. */
  acknowledge() {
    this.safe = this.received.length;
    this.onDisk = this.expected;
    this.say({ type: "audio_ack", stream: "s", position: this.onDisk });
  }

  /** Break the connection; what is not on the disk is lost. */
  cut() {
    this.received.length = this.safe;
    this.expected = this.onDisk;
    const socket = this.socket;
    this.socket = null;
    socket?.onclose?.({ code: 1006, reason: "" });
  }

  /** Let the next attempt succeed. */
  mend() {
    for (const [id, task] of this.timers) {
      this.timers.delete(id);
      task();
    }
    this.socket?.onopen?.();
    this.settle();
  }

  say(message) {
    this.socket?.onmessage?.({ data: JSON.stringify(message) });
    this.settle();
  }

  take(data) {
    if (typeof data === "string") {
      const { type } = JSON.parse(data);
      if (type === "hello")
        this.tasks.push(() => this.say({ type: "hello", session: "m", audio: { stream: "s", position: this.onDisk } }));
      return;
    }
    const position = Number(new DataView(data).getBigUint64(0, true));
    const samples = new Int16Array(data, 8);
    if (position > this.expected) this.jumps++;
    this.received.push(...samples.subarray(Math.max(this.expected - position, 0)));
    this.expected = Math.max(this.expected, position + samples.length);
  }
}

function makeSocketClass(world) {
  return class {
    bufferedAmount = 0;
    constructor() {
      world.socket = this;
    }
    send(data) {
      if (world.socket === this) world.take(data);
    }
    close() {}
  };
}

const TASKS = {
  uplink(steps) {
    const world = new FakeWorld();
    let finished = null;
    const handlers = { finished: (reason) => (finished = reason) };
    const about = { session: "m", address: String, greeting: () => ({}), stream: { id: "s", name: "n", rate: 100 } };
    const uplink = new Uplink(about, handlers, world);
    uplink.connect();
    let next = 0;
    const acts = {
      push: (count) => {
        uplink.push(Int16Array.from({ length: count }, () => next++ % 1000));
        world.settle();
      },
      acknowledge: () => world.acknowledge(),
      cut: () => world.cut(),
      mend: () => world.mend(),
    };
    let mostAhead = 0;
    for (const [name, count] of steps) {
      acts[name](count);
      mostAhead = Math.max(mostAhead, world.received.length - world.safe);
    }
    uplink.finish();
    for (let tries = 0; finished === null && tries < 1000; tries++) {
      world.mend();
      world.acknowledge();
    }
    return { received: world.received, spoken: next, jumps: world.jumps, finished, mostAhead };
  },

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
