/**
 * Search in the meeting that is shown: turns without the words are left out, the words are marked.
 *
 * Enter shows the first turn found among the others again. Words are marked by the CSS Custom Highlight API where the
 * browser has it, so that nothing in the transcript is rebuilt. Not covered: searching all meetings (`meetscribe search`).
 */
import { split } from "../layout.js";
import { setText } from "../dom.js";

const plain = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLocaleLowerCase();

/** The search field over a transcript. `onShow(element)` is called for a turn that is to be shown among the others. */
export class Search {
  #input;
  #count;
  #root;
  #onShow;
  #found = [];

  constructor({ input, count, clear, root, onShow }) {
    this.#input = input;
    this.#count = count;
    this.#root = root;
    this.#onShow = onShow;
    input.addEventListener("input", () => this.apply());
    input.addEventListener("keydown", (event) => this.#key(event));
    clear.onclick = () => {
      this.clear();
      input.focus();
    };
  }

  get isOn() {
    return split(this.#input.value).length > 0;
  }

  /** Search again: the words or the transcript changed. */
  apply() {
    const wanted = plain(split(this.#input.value).join(" "));
    this.#root.toggleAttribute("data-searching", wanted !== "");
    this.#found = [];
    if (!wanted) {
      setText(this.#count, "");
      CSS.highlights?.delete("found");
      return;
    }
    for (const turn of this.#root.querySelectorAll(".turn")) {
      const isFound = plain(saidIn(turn)).includes(wanted) || plain(whoIn(turn)).includes(wanted);
      turn.toggleAttribute("data-found", isFound);
      if (isFound) this.#found.push(turn);
    }
    setText(this.#count, this.#found.length === 1 ? "1 turn" : `${this.#found.length || "no"} turns`);
    this.#mark(wanted);
  }

  /** Show everything again. */
  clear() {
    this.#input.value = "";
    this.apply();
  }

  #key(event) {
    if (event.key === "Escape") {
      if (!this.#input.value) this.#input.blur();
      this.clear();
      event.stopPropagation();
    }
    if (event.key === "Enter" && this.#found.length) this.show(this.#found[0]);
  }

  /** Leave the search and show a turn that it found among the others. */
  show(turn) {
    this.clear();
    this.#onShow(turn);
  }

  #mark(wanted) {
    if (!CSS.highlights) return;
    const ranges = this.#found.slice(0, 500).flatMap((turn) => rangesIn(turn, split(wanted)));
    CSS.highlights.set("found", new Highlight(...ranges));
  }
}

function saidIn(turn) {
  return [...turn.querySelectorAll(".said")].map((said) => said.textContent).join(" ");
}

function whoIn(turn) {
  return turn.querySelector(".name").textContent;
}

/** Return ranges of the words that were searched for. */
function rangesIn(turn, words) {
  const ranges = [];
  const walker = document.createTreeWalker(turn, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (!node.parentElement.closest(".said, .name")) continue;
    const text = plain(node.data);
    if (text.length !== node.data.length) continue; // marks were taken off: places differ
    for (const word of words)
      for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + word.length)) {
        const range = new Range();
        range.setStart(node, at);
        range.setEnd(node, at + word.length);
        ranges.push(range);
      }
  }
  return ranges;
}
