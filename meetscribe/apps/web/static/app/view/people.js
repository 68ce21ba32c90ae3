/** Who is in the meeting: a chip for each speaker with colour, name and share of the talking. */
import { colourOf, initials } from "../colours.js";
import { h } from "../dom.js";

/** Draws the speakers of a meeting; a click on one calls `choose(speaker_id)`. */
export class PeopleView {
  #root;
  #choose;
  #drawn = "";

  constructor(root, choose) {
    this.#root = root;
    this.#choose = choose;
  }

  draw(meeting) {
    const people = shares(meeting);
    const drawn = JSON.stringify(people);
    if (drawn === this.#drawn) return;
    this.#drawn = drawn;
    this.#root.hidden = people.length === 0;
    this.#root.replaceChildren(...people.map((person) => this.#chip(person)));
  }

  #chip({ id, name, share }) {
    const label = `${name}, ${share} % of the talking: name or merge`;
    const chip = h(
      "button",
      { type: "button", class: "person", "aria-label": label, title: label, dataset: { person: id, colour: colourOf(id) } },
      h("span", { class: "avatar", "aria-hidden": true }, initials(name)),
      h("span", { class: "label" }, name),
      h("span", { class: "share" }, `${share} %`),
    );
    chip.onclick = () => this.#choose(id);
    return h("li", {}, chip);
  }
}

/** Return each speaker with the share of the time that somebody talked, in percent. */
function shares(meeting) {
  const time = new Map();
  for (const turn of meeting.turns)
    if (turn.speaker_id !== null)
      time.set(turn.speaker_id, (time.get(turn.speaker_id) ?? 0) + Math.max(turn.end - turn.start, 0));
  const all = [...time.values()].reduce((sum, part) => sum + part, 0) || 1;
  return [...meeting.speakers].map(([id, name]) => ({
    id,
    name: name || id,
    share: Math.round(((time.get(id) ?? 0) / all) * 100),
  }));
}
