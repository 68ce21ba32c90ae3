/**
 * Sends a microphone's samples so that none is lost: each frame says its position, what was not acknowledged is kept and
 * sent again after a cut. `docs/protocol.md`, "Audio from a client".
 */
import { CLOSED, Connection } from "./connection.js";
import { Ring } from "./ring.js";

const KEPT = 15 * 60; // seconds that a cut may last before audio is given up
const UNDER_WAY = 10; // seconds that may be sent without an acknowledgement
const FRAME = 0.1; // seconds in a frame, when there is that much
const BUFFERED = 1 << 18; // bytes that may wait in the socket
const SILENT_FOR = 10_000; // milliseconds without an acknowledgement that is owed: the connection is dead

/** Return a frame: the position as 8 bytes, then the samples, all little-endian. */
export function frame(position, samples) {
  const bytes = new ArrayBuffer(8 + samples.byteLength);
  const view = new DataView(bytes);
  view.setBigUint64(0, BigInt(position), true);
  if (LITTLE_ENDIAN) new Int16Array(bytes, 8).set(samples);
  else samples.forEach((sample, place) => view.setInt16(8 + 2 * place, sample, true));
  return bytes;
}

const LITTLE_ENDIAN = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/**
 * The way of one microphone's samples to one meeting.
 *
 * `handlers`: joined(session, hello) at every greeting, changed(uplink), finished(reason), stranded(reason) where the
 * meeting is over and takes nothing more, but there is sound that it did not get: `salvage` or `abandon` it then.
 * `address(session)` gives the URL of a meeting: one that this microphone starts has its id only after the first greeting.
 */
export class Uplink {
  ring;
  #connection;
  #handlers;
  #address;
  #rate;
  #next = 0; // the position that is sent next
  #ending = false;
  #isByeSent = false;
  #world;

  /** `session`: where to, or "new"; `greeting()`: fields of the hello besides the audio; `stream`: { id, name, rate }. */
  constructor({ session, address, greeting, stream }, handlers, world = globalThis) {
    this.#address = address;
    this.#rate = stream.rate;
    this.#handlers = handlers;
    this.#world = world;
    this.ring = new Ring(KEPT * stream.rate);
    const audio = () => ({
      encoding: "pcm_s16le",
      sample_rate: stream.rate,
      channels: 1,
      stream: stream.id,
      name: stream.name,
      position: this.ring.start,
    });
    this.#connection = new Connection(
      address(session),
      {
        greet: () => ({ type: "hello", version: 1, role: "audio", ...greeting(), audio: audio() }),
        greeted: (hello) => this.#greeted(hello),
        message: (message) => this.#receive(message),
        state: () => handlers.changed?.(this),
        refused: (code, reason) => this.#refused(code, reason),
      },
      world,
    );
  }

  get state() {
    return this.#connection.state;
  }

  get reason() {
    return this.#connection.reason;
  }

  /** Seconds of audio that are not safe yet. */
  get waiting() {
    return this.ring.held / this.#rate;
  }

  connect() {
    this.#connection.connect();
  }

  /** Take samples (Int16Array) as they were recorded; `position` where they do not follow the last ones. */
  push(samples, position = this.ring.end) {
    this.ring.push(samples, position);
    this.#pump();
  }

  /** Send what is left, then say bye; `finished` is called when everything is acknowledged. */
  finish() {
    this.#ending = true;
    this.#pump();
  }

  /** Send what is left, and nothing more, to a new meeting. */
  salvage() {
    this.#ending = true;
    this.#connection.url = this.#address("new");
    this.#connection.connect();
  }

  /** Stop at once; what was not sent is lost. */
  abandon(reason) {
    this.#connection.close(reason);
    this.#handlers.finished?.(reason);
  }

  /** Notice a connection that is dead without saying so; call it now and then. */
  check() {
    const silence = this.#world.Date.now() - this.#connection.lastMessage;
    const isOwed = this.#next > this.ring.acknowledged || this.#isByeSent;
    if (this.#connection.isOpen && isOwed && silence > SILENT_FOR) this.#connection.restart("no answer");
  }

  #greeted(hello) {
    this.#connection.url = this.#address(hello.session);
    this.#handlers.joined?.(hello.session, hello);
    const wanted = hello.audio?.position ?? this.ring.start;
    this.ring.acknowledge(wanted);
    this.#next = Math.max(wanted, this.ring.start);
    this.#isByeSent = false;
    this.#world.queueMicrotask(() => this.#pump());
  }

  #receive(message) {
    if (message.type !== "audio_ack") return;
    this.ring.acknowledge(message.position);
    this.#pump();
    this.#handlers.changed?.(this);
    if (this.#ending && this.ring.held === 0 && this.#isByeSent) this.#end("done");
  }

  #pump() {
    if (!this.#connection.isOpen || this.#isByeSent) return;
    const whole = Math.round(FRAME * this.#rate);
    while (this.#connection.buffered < BUFFERED) {
      const owed = Math.max(this.ring.acknowledged, this.ring.start); // later, where the ring gave up its oldest
      const room = owed + UNDER_WAY * this.#rate - this.#next;
      const isWhole = this.ring.end - this.#next >= whole || this.#ending;
      const part = isWhole && room > 0 ? this.ring.read(this.#next, Math.min(whole, room)) : null;
      if (!part || part.samples.length === 0) break;
      this.#connection.send(frame(part.position, part.samples));
      this.#next = part.position + part.samples.length;
    }
    if (this.#ending && this.#next >= this.ring.end) {
      this.#isByeSent = true;
      this.#connection.send({ type: "bye" });
    }
  }

  #refused(code, reason) {
    if (code === CLOSED.ended && (this.#isByeSent || this.waiting < 1)) return this.#end("done");
    if (code !== CLOSED.ended && code !== CLOSED.policy) return true;
    if (this.waiting < 1) return this.#end(reason || "The server refuses this microphone.");
    this.#world.queueMicrotask(() => this.#handlers.stranded(reason));
    return false;
  }

  #end(reason) {
    this.#world.queueMicrotask(() => {
      this.#connection.close(reason);
      this.#handlers.finished?.(reason === "done" ? "" : reason);
    });
    return false;
  }
}
