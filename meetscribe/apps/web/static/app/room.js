/**
 * A meeting that this page listens to: its connection and its log, kept whole over any number of cuts.
 *
 * After a cut the server is asked for what comes after the last event that was folded; a hole in the numbers, or a server
 * that knows less than this page, makes it read again.
 */
import * as api from "./api.js";
import { CLOSED, Connection } from "./connection.js";
import { MeetingLog } from "./log.js";

const CHECK_EVERY = 5_000;
const SILENT_FOR = 30_000; // milliseconds without a word from a server that listens: the connection is dead
const PAST = new Set(["rename", "merge", "correct"]); // what can be done to a meeting that is over

/** `handlers`: changed(), finished(turn) for turns said from now on, notice(text), tokenWanted(reason), missing(reason). */
export class Room {
  log = new MeetingLog();
  connection;
  info = null; // what the server says about the meeting: is there sound to hear?
  isOver = false;
  isAway = false;
  #handlers;
  #waiting = [];
  #past = 0; // events up to this number were there before this page came
  #timer;
  #wake = () => document.visibilityState === "visible" && this.#retry();

  constructor(session, handlers) {
    this.session = session;
    this.#handlers = handlers;
    this.connection = new Connection(api.socketAddress(session), {
      greet: () => this.#greet(),
      greeted: (hello) => this.#greeted(hello),
      message: (message) => this.#receive(message),
      refused: (code, reason) => this.#refused(code, reason),
      state: () => handlers.changed(),
    });
    this.#timer = setInterval(() => this.#check(), CHECK_EVERY);
    window.addEventListener("online", this.#wake);
    document.addEventListener("visibilitychange", this.#wake);
  }

  /** The state as people see it: the meeting's own, "ended", or "" while nothing is known. */
  get state() {
    if (this.log.meeting.end) return "ended";
    return this.log.meeting.status?.state ?? (this.log.meeting.session ? "listening" : "");
  }

  connect() {
    this.connection.connect();
  }

  /** Leave the meeting. */
  leave() {
    clearInterval(this.#timer);
    window.removeEventListener("online", this.#wake);
    document.removeEventListener("visibilitychange", this.#wake);
    this.connection.close();
  }

  /** Resolve when the event of a number was folded. */
  async until(seq) {
    while (this.log.meeting.seq < seq) await new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Send a command; names, merges and corrections also to a meeting that is over. */
  command(name, fields) {
    if (this.connection.state === "closed" && this.isOver && PAST.has(name)) this.connection.connect();
    return this.connection.command(name, fields);
  }

  #greet() {
    const token = api.token() || undefined;
    return { type: "hello", version: 1, role: "listen", after_seq: this.log.meeting.seq, token };
  }

  #greeted(hello) {
    this.isOver = false;
    this.isAway = hello.live === false; // it does not run here now: it is over, or it broke off and may come back
    this.log.interrupt();
    if (hello.seq < this.log.meeting.seq) {
      this.log = new MeetingLog();
      queueMicrotask(() => this.connection.restart("the meeting was begun anew"));
    }
    this.#past = Math.max(this.#past, hello.seq ?? 0);
    this.#ask();
  }

  async #ask() {
    this.info = await api.session(this.session).catch(() => this.info);
    this.#handlers.changed();
  }

  #receive(message) {
    if (message.type === "error") return this.#handlers.notice(message.message);
    if (message.type === "audio_ack") return;
    let isNew;
    try {
      isNew = this.log.receive(message);
    } catch (error) {
      return this.connection.restart(error.message);
    }
    if (isNew && message.type === "final" && message.seq > this.#past) this.#handlers.finished(message.turn.id);
    if (message.type === "end") this.#ask();
    for (const resolve of this.#waiting.splice(0)) resolve();
    this.#handlers.changed();
  }

  #refused(code, reason) {
    if (code === CLOSED.ended && this.log.meeting.end) {
      this.isOver = true;
      return false;
    }
    if (code === CLOSED.policy) {
      this.#explainPolicy(reason);
      return false;
    }
    if (code === 1006 && this.connection.lastMessage === 0) this.#explain();
    return true;
  }

  /** Find out whether the token is wrong, or there is no such meeting: both close with the same code. */
  async #explainPolicy(reason) {
    try {
      await api.session(this.session);
    } catch (error) {
      if (error.status === 404) return this.#handlers.missing(error.message);
    }
    this.#handlers.tokenWanted(reason);
  }

  /** Find out why the handshake was refused: a browser does not say. */
  async #explain() {
    try {
      await api.session(this.session);
    } catch (error) {
      if (error.status === 401) {
        this.connection.close();
        this.#handlers.tokenWanted(error.message);
      }
      if (error.status === 404) {
        this.connection.close(error.message);
        this.#handlers.missing(error.message);
      }
    }
  }

  #check() {
    const silence = Date.now() - this.connection.lastMessage;
    if (this.connection.isOpen && this.state === "listening" && silence > SILENT_FOR)
      this.connection.restart("nothing came for half a minute");
    if (this.connection.state === "waiting") this.#handlers.changed();
  }

  #retry() {
    if (this.connection.state === "waiting") this.connection.connect();
  }
}
