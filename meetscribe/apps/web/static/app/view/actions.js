/** What a click or a key does to a turn: hear it, name its speaker, correct it; and moving among turns by keys. */
import { askText, askWho, askWhose } from "./dialogs.js";
import { notice } from "./notices.js";

/** The actions on turns of what `room()` shows, in the element `root`. */
export class TurnActions {
  #root;
  #room;
  #player;
  #current = null;

  constructor(root, room, player) {
    this.#root = root;
    this.#room = room;
    this.#player = player;
    root.addEventListener("click", (event) => this.#click(event));
    root.addEventListener("keydown", (event) => this.#key(event));
    root.addEventListener("focusin", (event) => this.#enter(event.target.closest(".turn")));
    root.addEventListener("dblclick", (event) => {
      if (event.target.closest(".said")) this.correct(turnAt(event.target));
    });
  }

  /** Ask for a speaker's name, or whom they are the same as, and send it. */
  async name(speaker) {
    const answer = await askWho(this.#room().log.meeting, speaker);
    if (answer?.into) await this.#send("merge", { speaker_id: speaker, into: answer.into });
    if (answer?.speaker) await this.#send("rename", { speaker_id: speaker, speaker: answer.speaker });
  }

  /** Ask who said a turn: its speaker's name, or where nobody is known who this one was. */
  async nameTurn(id) {
    const { meeting } = this.#room().log;
    const turn = meeting.turns.find((known) => known.id === id);
    if (!turn) return notice("This turn is still being heard; it can be given a name when it is finished.");
    if (turn.speaker_id !== null) return this.name(turn.speaker_id);
    const answer = await askWhose(meeting, turn);
    if (!answer) return;
    const speaker = answer.speaker ?? meeting.name(answer.into) ?? answer.into;
    const acknowledged = await this.#send("rename", { turn: id, speaker });
    if (!acknowledged || !answer.into) return;
    // the turn has a speaker of its own now, who is the one that was chosen
    await this.#room().until(acknowledged.seq);
    const own = this.#room().log.meeting.turns.find((known) => known.id === id)?.speaker_id;
    if (own && own !== answer.into) await this.#send("merge", { speaker_id: own, into: answer.into });
  }

  /** Ask for the right text of a turn and send it. */
  async correct(id) {
    const { meeting } = this.#room().log;
    const turn = meeting.turns.find((known) => known.id === id);
    if (!turn) return notice("This turn is still being heard; it can be corrected when it is finished.");
    if (turn.redacted) return;
    const text = await askText(turn, meeting.shownSpeaker(turn));
    if (text !== null) await this.#send("correct", { turn: id, text });
  }

  /** Hear a turn, or only its voice. */
  hear(id, isAlone = false) {
    const { session, log, info } = this.#room();
    const turn = log.meeting.turns.find((known) => known.id === id);
    if (!turn || turn.redacted || !info?.audio) return;
    this.#player.toggle(session, turn, isAlone);
  }

  async #send(name, fields) {
    try {
      return await this.#room().command(name, fields);
    } catch (error) {
      notice(error.message);
      return null;
    }
  }

  #click(event) {
    const turn = event.target.closest(".turn");
    if (!turn) return;
    this.#enter(turn);
    if (event.target.closest(".name")) return this.nameTurn(turn.dataset.turn);
    const act = event.target.closest("[data-act]")?.dataset.act;
    if (act === "correct") return this.correct(turn.dataset.turn);
    if (act) return this.hear(turn.dataset.turn, act === "alone");
    // a click into the words, unless they were being selected
    if (event.target.closest(".said") && event.detail === 1 && getSelection().isCollapsed) this.hear(turn.dataset.turn);
  }

  #key(event) {
    const turn = event.target.closest(".turn");
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") return this.#move(event, turn);
    if (event.target !== turn) return;
    const act = { Enter: "hear", e: "correct", n: "name", v: "alone" }[event.key];
    if (!act) return;
    event.preventDefault();
    if (act === "name") this.nameTurn(turn.dataset.turn);
    else if (act === "correct") this.correct(turn.dataset.turn);
    else this.hear(turn.dataset.turn, act === "alone");
  }

  #move(event, turn) {
    const turns = [...this.#root.querySelectorAll(".turn")].filter((found) => found.offsetParent);
    if (!turns.length) return;
    event.preventDefault();
    const from = turn ? turns.indexOf(turn) : event.key === "ArrowUp" ? turns.length : -1;
    const to = turns[Math.max(0, Math.min(turns.length - 1, from + (event.key === "ArrowDown" ? 1 : -1)))];
    to.focus({ preventScroll: true });
    to.scrollIntoView({ block: "nearest" });
  }

  /** Only the turn in hand has buttons in the order of the Tab key: thousands would bar the way. */
  #enter(turn) {
    if (!turn || turn === this.#current) return;
    for (const button of this.#current?.querySelectorAll("button") ?? []) button.tabIndex = -1;
    for (const button of turn.querySelectorAll("button")) button.tabIndex = 0;
    if (this.#current) this.#current.tabIndex = -1;
    turn.tabIndex = 0;
    this.#current = turn;
  }
}

function turnAt(element) {
  return element.closest(".turn")?.dataset.turn ?? null;
}
