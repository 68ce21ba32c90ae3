/**
 * A WebSocket that comes back: greets, hands on messages, tries again after a cut with growing pauses.
 *
 * What to say in the greeting is asked anew at every attempt, so that a listener goes on after the last event it has and
 * a microphone after the last sample that was acknowledged. A person's commands that can be repeated without harm
 * survive a cut; others fail with a sentence.
 */

const FIRST_PAUSE = 250; // milliseconds until the first new attempt
const LONGEST_PAUSE = 10_000;
const GREETING_WITHIN = 10_000; // a server that does not answer the greeting is left
const REPEATABLE = new Set(["rename", "merge", "correct", "pause", "resume"]);

/** Close codes after which trying again makes no sense by itself. */
export const CLOSED = { ended: 1000, protocol: 1002, policy: 1008, tooBig: 1009, full: 1013 };

/** A command that the server refused, or whose answer was lost. */
export class CommandFailed extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

/**
 * One connection over many sockets.
 *
 * `handlers`: greet() returns the first message; message(value) takes every other JSON message; state(connection) is
 * called whenever `state` changes; greeted(hello) takes the server's greeting; refused(code, reason) is asked after a
 * close whether to go on: false ends it. `world` replaces what a browser has (tests).
 */
export class Connection {
  state = "idle"; // idle | connecting | open | waiting | closed
  reason = ""; // why it is closed or waits
  retryAt = 0;
  lastMessage = 0;
  url; // may be set: the next attempt goes there
  #handlers;
  #world;
  #socket = null;
  #attempts = 0;
  #timer = null;
  #commands = new Map();
  #number = 0;

  constructor(url, handlers, world = globalThis) {
    this.url = url;
    this.#handlers = handlers;
    this.#world = world;
  }

  get isOpen() {
    return this.state === "open";
  }

  /** Bytes that the socket has not sent yet. */
  get buffered() {
    return this.#socket?.bufferedAmount ?? 0;
  }

  /** Connect now, also in the middle of a pause. */
  connect() {
    if (this.state === "open" || this.state === "connecting") return;
    this.#world.clearTimeout(this.#timer);
    this.#set("connecting");
    const socket = new this.#world.WebSocket(this.url);
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    this.#timer = this.#world.setTimeout(() => this.#lose(socket, 1006, "no answer"), GREETING_WITHIN);
    socket.onopen = () => socket === this.#socket && socket.send(JSON.stringify(this.#handlers.greet()));
    socket.onmessage = (event) => socket === this.#socket && this.#receive(event.data);
    socket.onclose = (event) => this.#lose(socket, event.code, event.reason);
  }

  /** Leave this socket and make a new one: nothing came for too long, or a hole showed. */
  restart(reason) {
    if (this.#socket) this.#lose(this.#socket, 1006, reason);
  }

  /** End it for good. */
  close(reason = "") {
    this.#world.clearTimeout(this.#timer);
    this.#drop();
    this.#failCommands(() => true);
    this.#set("closed", reason);
  }

  /** Send a message (an object) or audio (a buffer); it is lost when the connection is not open. */
  send(value) {
    if (!this.isOpen) return;
    this.#socket.send(value instanceof ArrayBuffer || ArrayBuffer.isView(value) ? value : JSON.stringify(value));
  }

  /**
   * Send a command; resolves with the acknowledgement.
   *
   * Without a connection, one that can be repeated waits for it; others throw `CommandFailed`.
   */
  command(name, fields = {}) {
    if (!this.isOpen && !(REPEATABLE.has(name) && this.state !== "closed"))
      return Promise.reject(new CommandFailed("offline", "There is no connection; try again when it is back."));
    const id = `c${++this.#number}`;
    const message = { type: "command", id, name, ...fields };
    return new Promise((resolve, reject) => {
      this.#commands.set(id, { message, resolve, reject });
      this.send(message);
    });
  }

  #receive(data) {
    this.lastMessage = this.#world.Date.now();
    if (typeof data !== "string") return;
    const message = JSON.parse(data);
    if (this.state === "connecting") this.#greeted(message);
    else if (message.type === "ack" || (message.type === "error" && this.#commands.has(message.id)))
      this.#answer(message);
    else this.#handlers.message(message);
  }

  #greeted(message) {
    if (message.type !== "hello") {
      this.#lastError = message.message;
      return;
    }
    this.#world.clearTimeout(this.#timer);
    this.#attempts = 0;
    this.#handlers.greeted?.(message);
    this.#set("open");
    for (const { message: waiting } of this.#commands.values()) this.send(waiting);
  }

  #lastError = "";

  #answer(message) {
    const waiting = this.#commands.get(message.id);
    if (!waiting) return;
    this.#commands.delete(message.id);
    if (message.type === "ack") waiting.resolve(message);
    else waiting.reject(new CommandFailed(message.code, message.message));
  }

  #lose(socket, code, reason) {
    if (socket !== this.#socket) return;
    this.#world.clearTimeout(this.#timer);
    this.#drop();
    this.#failCommands(({ message }) => !REPEATABLE.has(message.name));
    const said = reason || this.#lastError;
    this.#lastError = "";
    if (this.#handlers.refused?.(code, said) === false) {
      this.#failCommands(() => true);
      this.#set("closed", said);
      return;
    }
    const longest = Math.min(FIRST_PAUSE * 2 ** this.#attempts++, LONGEST_PAUSE);
    const pause = code === CLOSED.full || code === CLOSED.ended ? LONGEST_PAUSE : longest * (0.75 + 0.25 * this.#world.Math.random());
    this.retryAt = this.#world.Date.now() + pause;
    this.#timer = this.#world.setTimeout(() => this.connect(), pause);
    this.#set("waiting", said);
  }

  #drop() {
    const socket = this.#socket;
    this.#socket = null;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }

  #failCommands(which) {
    for (const [id, waiting] of this.#commands) {
      if (!which(waiting)) continue;
      this.#commands.delete(id);
      waiting.reject(
        new CommandFailed("offline", "The connection was cut before an answer came: see whether it was done."),
      );
    }
  }

  #set(state, reason = "") {
    this.state = state;
    this.reason = reason;
    this.#handlers.state?.(this);
  }
}
