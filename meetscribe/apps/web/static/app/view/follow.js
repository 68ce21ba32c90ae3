/** Keeps the end of the transcript in sight until a person scrolls away; then counts what is new. */
import { setText } from "../dom.js";

const NEAR = 48; // pixels from the end that still count as the end

/** Follows the tail of a scrolling element; `button` takes back to it. */
export class Follow {
  isOn = true;
  #scroller;
  #button;
  #label;
  #new = 0;
  #expected = null;

  constructor(scroller, button) {
    this.#scroller = scroller;
    this.#button = button;
    this.#label = button.querySelector("span");
    scroller.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    new ResizeObserver(() => this.keep()).observe(scroller);
    button.onclick = () => this.toEnd();
    this.#show();
  }

  /** Take notice of turns that were finished. */
  count(turns) {
    if (this.isOn) return;
    this.#new += turns;
    this.#show();
  }

  /** Stay at the end, where it is followed; call it when the transcript has grown. */
  keep() {
    if (!this.isOn) return;
    this.#expected = this.#scroller.scrollHeight - this.#scroller.clientHeight;
    this.#scroller.scrollTop = this.#expected;
  }

  /** Go to the end and follow it. */
  toEnd() {
    this.isOn = true;
    this.#new = 0;
    this.#show();
    this.keep();
  }

  /** Stop following: a person wants to look at something else. */
  leave() {
    this.isOn = false;
    this.#show();
  }

  #scrolled() {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
    const isAtEnd = scrollHeight - scrollTop - clientHeight < NEAR;
    if (isAtEnd === this.isOn) return;
    // our own scrolling, or content that grew between a frame and its event, is no wish to leave
    if (!isAtEnd && this.#expected !== null && scrollTop >= this.#expected - NEAR) return this.keep();
    this.isOn = isAtEnd;
    if (isAtEnd) this.#new = 0;
    this.#show();
  }

  #show() {
    this.#button.hidden = this.isOn;
    setText(this.#label, this.#new ? `${this.#new} new` : "To the end");
  }
}
