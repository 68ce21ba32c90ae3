/** The head of the page: title, state, how far behind, how loud, how long. */
import { byId, h, setText } from "../dom.js";
import { clock, duration } from "../times.js";
import { STATES } from "./marker.js";

const QUIET = -60; // dBFS at which the level shows nothing
const BEHIND = 2_000; // milliseconds of lag that are worth a warning

/** Draw the state of a room. */
export function drawStatus(room) {
  const { log, connection } = room;
  const { meeting } = log;
  const title = meeting.session?.title || room.session;
  setText(byId("title"), title);
  document.title = `${title} – meetscribe`;
  const state = byId("state");
  setText(state, stateText(room));
  Object.assign(state.dataset, { state: room.state, connection: connection.state });
  state.title = connection.reason || meeting.status?.reason || "";
  drawLag(byId("lag"), room);
  drawLevels(byId("levels"), log.levels);
  setText(byId("clock"), clock(meeting.end ? meeting.duration : log.now));
}

function stateText({ state, connection, isOver, isAway, log }) {
  if (state === "ended" || isOver) return "Ended";
  if (isAway && connection.state !== "closed") return "Not running here now";
  if (connection.state === "waiting") {
    const wait = Math.ceil((connection.retryAt - Date.now()) / 1000);
    return wait > 0 ? `Reconnecting in ${wait} s` : "Reconnecting…";
  }
  if (connection.state === "closed") return "Not connected";
  if (connection.state !== "open") return log.meeting.seq ? "Reconnecting…" : "Connecting…";
  if (state === "paused" && isHidden(log.meeting)) return "Off the record";
  return STATES[state] ?? "Connected";
}

/** Say whether the meeting is off the record until somebody takes that back. */
export function isHidden(meeting) {
  return meeting.status?.state === "paused" && meeting.status.reason === "off the record";
}

function drawLag(element, { log, connection, state }) {
  element.hidden = state === "ended" || !connection.isOpen;
  element.toggleAttribute("data-behind", log.behind > BEHIND);
  setText(element, log.behind < 50 ? "in step" : `${duration(log.behind)} behind`);
}

function drawLevels(element, levels) {
  while (element.children.length > levels.length) element.lastElementChild.remove();
  while (element.children.length < levels.length) element.append(h("span", { class: "level" }, h("i")));
  levels.forEach((level, channel) => {
    const part = Math.max(0, Math.min(1, 1 - level / QUIET));
    element.children[channel].firstElementChild.style.transform = `scaleX(${part.toFixed(3)})`;
  });
  element.hidden = levels.length === 0;
}
