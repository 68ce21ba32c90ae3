/** Plays one stretch of a meeting at a time. */
import { sound } from "./api.js";
import { toSeconds } from "./times.js";

const BEFORE = 200; // milliseconds heard before a turn, so that its first sound is whole
const AFTER = 300;
const LONGEST = 120_000; // milliseconds that the server gives at once

/** The sound of turns. `changed()` is called when what plays changes; `failed(error)` when nothing comes. */
export class Player {
  playing = null; // the id of the turn
  isAlone = false; // its voice alone
  #audio = new Audio();
  #handlers;

  constructor(handlers) {
    this.#handlers = handlers;
    this.#audio.onended = () => this.stop();
  }

  /** Play a turn, or stop where it plays already; `isAlone`: only its voice, where two overlap. */
  async toggle(session, turn, isAlone = false) {
    if (this.playing === turn.id && this.isAlone === isAlone) return this.stop();
    this.stop();
    this.#set(turn.id, isAlone);
    try {
      const start = Math.max(turn.start - BEFORE, 0);
      const stretch = {
        start: toSeconds(start),
        end: toSeconds(Math.min(turn.end + AFTER, start + LONGEST)),
        channel: turn.channel,
        slot: isAlone ? turn.slot : null,
      };
      const blob = await sound(session, stretch);
      if (this.playing !== turn.id) return;
      this.#audio.src = URL.createObjectURL(blob);
      await this.#audio.play();
    } catch (error) {
      if (this.playing !== turn.id) return; // another turn was chosen meanwhile
      this.stop();
      this.#handlers.failed(error);
    }
  }

  /** Be silent. */
  stop() {
    this.#audio.pause();
    if (this.#audio.src) URL.revokeObjectURL(this.#audio.src);
    this.#audio.removeAttribute("src");
    this.#set(null, false);
  }

  #set(turn, isAlone) {
    this.playing = turn;
    this.isAlone = isAlone;
    this.#handlers.changed();
  }
}
