/** One turn as an element: who, when, and its words in one piece for each row it stands in. */
import { colourOf, initials } from "../colours.js";
import { h, icon, setText } from "../dom.js";
import { clock } from "../times.js";

const UNSURE = 0.5; // below this confidence a word is marked

/** Return a turn's element without its content; `update` fills it. */
export function makeTurn(id) {
  const name = h("button", { type: "button", class: "name", tabindex: -1, dataset: { testid: "rename" } });
  const time = h("button", { type: "button", class: "time", tabindex: -1, dataset: { act: "play" } });
  const tools = h(
    "span",
    { class: "tools" },
    tool("alone", "voice", "Hear only this voice"),
    tool("correct", "edit", "Correct the text"),
  );
  const head = h("header", { class: "who" }, h("span", { class: "avatar", "aria-hidden": true }), name, time, tools);
  const element = h(
    "article",
    { class: "turn", tabindex: -1, dataset: { testid: "turn", turn: id } },
    h("div", { class: "piece" }, head, h("p", { class: "said" })),
  );
  return element;
}

function tool(act, symbol, label) {
  return h("button", { type: "button", class: "tool", tabindex: -1, title: label, "aria-label": label, dataset: { act } }, icon(symbol));
}

/**
 * Fill a turn's element.
 *
 * `view`: { turn, lane, first, pieces, stable (null: final), who, continues, beside (names), rows of the group }.
 */
export function updateTurn(element, view) {
  const { turn, lane, first, pieces, stable, who, continues, beside } = view;
  const colour = colourOf(turn.speaker_id);
  Object.assign(element.dataset, {
    slot: turn.slot,
    speakerId: turn.speaker_id ?? "",
    lane,
    colour: colour ?? `slot-${turn.slot % 2}`,
    state: stable === null ? "final" : "partial",
  });
  element.toggleAttribute("data-continues", continues);
  element.toggleAttribute("data-overlaps", turn.overlaps.length > 0 || beside.length > 0);
  element.toggleAttribute("data-redacted", turn.redacted);
  element.style.gridColumn = lane + 1;
  element.style.gridRow = `${first + 1} / span ${Math.max(pieces.length, 1)}`;
  fillHead(element, view);
  fillPieces(element, view);
  element.setAttribute("aria-label", `${who}, ${clock(turn.start)}${beside.length ? `, while ${beside.join(" and ")} spoke` : ""}`);
}

function fillHead(element, { turn, who, beside }) {
  setText(element.querySelector(".avatar"), initials(who));
  const name = element.querySelector(".name");
  setText(name, who);
  name.title = turn.speaker_id === null ? "Not known yet who this is: say it" : `Name ${who}, or say who it is`;
  name.setAttribute("aria-label", `${who}: say who it is`);
  const time = element.querySelector(".time");
  setText(time, clock(turn.start));
  time.title = "Hear this turn";
  time.setAttribute("aria-label", `Hear the turn at ${clock(turn.start)}`);
  let note = element.querySelector(".beside");
  if (!beside.length) return note?.remove();
  note ??= h("span", { class: "beside" });
  setText(note, `while ${beside.join(" and ")} spoke`);
  element.querySelector(".time").after(note);
}

function fillPieces(element, { turn, pieces, stable }) {
  const wanted = Math.max(pieces.length, 1);
  while (element.children.length > wanted) element.lastElementChild.remove();
  while (element.children.length < wanted)
    element.append(" ", h("div", { class: "piece" }, h("p", { class: "said" })));
  let number = 0;
  for (let place = 0; place < wanted; place++) {
    const words = pieces[place] ?? [];
    const said = element.children[place].querySelector(".said");
    said.replaceChildren(...(turn.redacted ? ["off the record"] : textOf(words, number, stable)));
    number += words.length;
  }
}

/** Return text nodes, and spans for words that are not sure or not firm; spaces stand outside of the marked words. */
function textOf(words, number, stable) {
  const nodes = [];
  let run = null; // words of one kind that stand together
  for (const [place, { text, confidence }] of words.entries()) {
    const isLoose = stable !== null && number + place >= stable;
    const kind = isLoose ? "loose" : confidence < UNSURE ? "unsure" : "plain";
    if (run?.kind === kind && kind !== "unsure") run.node.append(` ${text}`);
    else {
      if (run) nodes.push(" ");
      run = { kind, node: h("span", { class: kind, title: kind === "unsure" ? doubt(confidence) : null }, text) };
      nodes.push(run.node);
    }
  }
  return nodes;
}

function doubt(confidence) {
  return `Not sure (${Math.round(confidence * 100)} %)`;
}
