/** Questions to a person: who is this, what was said, a note, really? Each resolves with the answer, or null. */
import { colourOf, initials } from "../colours.js";
import { h } from "../dom.js";
import { clock } from "../times.js";

/** Show a dialog of a title and content; `answer(dialog.returnValue)` makes the result of what it was closed with. */
function ask(title, content, answer) {
  const heading = h("h2", {}, title);
  const form = h("form", { method: "dialog" }, heading, ...content);
  const dialog = h("dialog", { class: "question", "aria-label": title }, form);
  document.body.append(dialog);
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close(""));
  dialog.showModal();
  const first = dialog.querySelector("[autofocus]");
  first?.focus();
  first?.select?.();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue ? answer(dialog.returnValue) : null);
    });
  });
}

function buttons(yes, kind = "primary") {
  return h(
    "div",
    { class: "buttons" },
    h("button", { type: "submit", value: "", formnovalidate: true }, "Cancel"),
    h("button", { type: "submit", value: "yes", class: kind }, yes),
  );
}

/** In a text field Enter submits with the main button, not with Cancel, which stands before it. */
function submitsOnEnter(field, isMultiline = false) {
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing || (isMultiline && event.shiftKey)) return;
    event.preventDefault();
    const { form } = field;
    if (form.reportValidity()) form.closest("dialog").close("yes");
  });
  return field;
}

/**
 * Ask who a speaker is; resolves with { speaker } (a name), { into } (another speaker's id) or null.
 * The latest words help to tell people apart.
 */
export function askWho(meeting, speaker) {
  const name = meeting.name(speaker) ?? "";
  const quotes = meeting.turns.filter((turn) => turn.speaker_id === speaker && turn.text).slice(-2);
  const others = [...meeting.speakers].filter(([id]) => id !== speaker);
  return askName(`Who is ${name || speaker}?`, { name, quotes, others });
}

/** Ask who said a turn that nobody is known to have said; resolves as `askWho` does. */
export function askWhose(meeting, turn) {
  return askName("Who said this?", { name: "", quotes: [turn], others: [...meeting.speakers] });
}

function askName(title, { name, quotes, others }) {
  const input = h("input", {
    name: "speaker", value: name, autocomplete: "off", maxlength: 100, required: true, autofocus: true, spellcheck: "false",
  });
  const content = [
    ...quotes.map((turn) => h("blockquote", {}, shorten(turn.text), " ", h("time", {}, clock(turn.start)))),
    h("label", {}, "Name", submitsOnEnter(input)),
    buttons("Save"),
    others.length ? mergeList(others) : null,
  ].filter(Boolean);
  return ask(title, content, (value) => {
    if (value.startsWith("into:")) return { into: value.slice(5) };
    const given = input.value.trim();
    return given && given !== name ? { speaker: given } : null;
  });
}

function mergeList(others) {
  const choices = others.map(([id, name]) =>
    h(
      "button",
      { type: "submit", value: `into:${id}`, formnovalidate: true, class: "person", dataset: { colour: colourOf(id) } },
      h("span", { class: "avatar", "aria-hidden": true }, initials(name || id)),
      name || id,
    ),
  );
  return h("fieldset", { class: "merge" }, h("legend", {}, "Or the same person as"), ...choices);
}

function shorten(text) {
  return text.length > 120 ? `… ${text.slice(-118)}` : text;
}

/** Ask for the right text of a turn; resolves with it or null. */
export function askText(turn, who) {
  const field = h("textarea", { name: "text", rows: 4, autofocus: true, maxlength: 20_000 });
  field.value = turn.text;
  const content = [
    h("label", {}, `What ${who} said at ${clock(turn.start)}`, submitsOnEnter(field, true)),
    buttons("Save"),
  ];
  return ask("Correct the text", content, () => {
    const given = field.value.trim();
    return given !== turn.text ? given : null;
  });
}

/** Ask for a bookmark's note (may be empty); resolves with it or null. */
export function askNote(at) {
  const input = h("input", { name: "note", maxlength: 500, autocomplete: "off", autofocus: true, placeholder: "Note (optional)" });
  return ask(`Bookmark ${clock(at)}`, [submitsOnEnter(input), buttons("Mark")], () => input.value.trim());
}

/** Ask a yes-or-no question, mostly about something that cannot be undone; resolves with true or null. */
export function askReally(title, text, yes, kind = "danger") {
  return ask(title, [h("p", {}, text), buttons(yes, kind)], () => true);
}

/** Ask for the server's token; resolves with { token, isRemembered } or null. */
export function askToken(reason) {
  const input = h("input", { type: "password", name: "token", required: true, autofocus: true, autocomplete: "current-password" });
  const box = h("input", { type: "checkbox", name: "remember" });
  const content = [
    reason ? h("p", {}, reason) : null,
    h("label", {}, "Token", submitsOnEnter(input)),
    h("label", { class: "box" }, box, "Remember it on this device"),
    buttons("Connect"),
  ];
  return ask("This server wants a token", content, () => ({ token: input.value, isRemembered: box.checked }));
}

/** Show a text that a person has to know before going on. */
export function tell(title, text) {
  const close = h("div", { class: "buttons" }, h("button", { type: "submit", value: "", class: "primary", autofocus: true }, "Close"));
  return ask(title, [h("p", {}, text), close], () => null);
}
