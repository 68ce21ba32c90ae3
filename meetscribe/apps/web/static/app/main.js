/** The page: puts a meeting (`Room`) and its views together, and what people do into commands. */
import { setToken } from "./api.js";
import { byId, setText } from "./dom.js";
import { listenToKeys } from "./keys.js";
import { Player } from "./player.js";
import { applyTheme, nextTheme, prefer, preference } from "./preferences.js";
import { Room } from "./room.js";
import { TurnActions } from "./view/actions.js";
import { askNote, askReally, askToken } from "./view/dialogs.js";
import { setUpDownload } from "./view/download.js";
import { Follow } from "./view/follow.js";
import { MicrophoneView } from "./view/microphone.js";
import { announce, notice } from "./view/notices.js";
import { PeopleView } from "./view/people.js";
import { Search } from "./view/search.js";
import { StartView } from "./view/start.js";
import { drawStatus, isHidden } from "./view/status.js";
import { TranscriptView } from "./view/transcript.js";

let room = null;
let view = null;
let search = null;

const scroller = byId("scroller");
const transcript = byId("transcript");
const follow = new Follow(scroller, byId("new"));
const player = new Player({ changed: markPlaying, failed: (error) => notice(error.message) });
const actions = new TurnActions(transcript, () => room, player);
const people = new PeopleView(byId("people"), (speaker) => actions.name(speaker));
const start = new StartView({ open: (id) => enter(id), tokenWanted: (reason) => wantToken(reason) });
const microphone = new MicrophoneView({ target: microphoneTarget, joined });

/** Show the list of meetings, or the only one that runs. */
function showStart(opensOnly) {
  document.body.dataset.view = "start";
  document.title = "meetscribe";
  start.show(opensOnly);
}

/** Show a meeting. */
function enter(session, isNewPage = true) {
  start.hide();
  player.stop();
  room?.leave();
  document.body.dataset.view = "meeting";
  if (isNewPage) history.pushState(null, "", `?session=${encodeURIComponent(session)}`);
  view?.stop();
  view = new TranscriptView(freshTranscript(), drawn);
  room = new Room(session, {
    changed: () => draw(),
    finished: (turn) => finished(turn),
    notice,
    tokenWanted: (reason) => wantToken(reason),
    missing: (reason) => setText(byId("empty"), reason),
  });
  search.clear();
  follow.toEnd();
  room.connect();
  draw();
}

function freshTranscript() {
  transcript.replaceChildren();
  transcript.removeAttribute("data-two");
  setText(byId("empty"), "Nothing was said yet.");
  return transcript;
}

/** Draw what changed at the next frame: a log of thousands of events is drawn once. */
function draw() {
  if (room) view.schedule(room.log);
}

/** Draw the rest of the page beside the transcript. */
function drawn() {
  drawStatus(room);
  people.draw(room.log.meeting);
  drawControls();
  byId("empty").hidden = transcript.childElementCount > 0;
  if (search.isOn) search.apply();
  follow.keep();
  markPlaying();
}

function drawControls() {
  const { state, connection, info, isOver, isAway } = room;
  const isLive = connection.isOpen && state !== "ended" && !isOver && !isAway;
  const isHiding = isHidden(room.log.meeting);
  const isPaused = state === "paused";
  document.body.toggleAttribute("data-sound", Boolean(info?.audio));
  document.body.toggleAttribute("data-separated", Boolean(info?.audio?.separated));
  for (const id of ["bookmark", "pause", "stop"]) byId(id).disabled = !isLive;
  byId("off-record").disabled = !isLive;
  setText(byId("pause-label"), isPaused ? "Resume" : "Pause");
  byId("pause").dataset.paused = isPaused;
  document.body.toggleAttribute("data-hiding", isHiding);
  byId("off-record").querySelector('[value="start"]').hidden = isHiding;
  byId("off-record").querySelector('[value="stop"]').hidden = !isHiding;
  byId("live-controls").hidden = state === "ended" || isOver;
}

function finished(id) {
  follow.count(1);
  const { meeting } = room.log;
  const turn = meeting.turns.find((known) => known.id === id);
  if (turn) announce(meeting.shownSpeaker(turn), turn.text);
}

function markPlaying() {
  for (const turn of transcript.querySelectorAll(".turn[data-playing]")) turn.removeAttribute("data-playing");
  if (player.playing) view?.elementOf(player.playing)?.setAttribute("data-playing", player.isAlone ? "alone" : "all");
}

/** Send a command and say what went wrong. */
async function send(name, fields) {
  try {
    await room.command(name, fields);
    return true;
  } catch (error) {
    notice(error.message);
    return false;
  }
}

async function bookmark() {
  const note = await askNote(room.log.now);
  if (note !== null) await send("bookmark", { note });
}

async function offRecord(choice) {
  if (choice === "start" || choice === "stop") {
    await send("off_record", { action: choice });
    return;
  }
  const text = "What was said is erased from the transcript and the recording, for everybody. This cannot be undone.";
  const minutes = Number(choice) >= 120 ? `${Number(choice) / 60} minutes` : `${choice} seconds`;
  if (await askReally(`Erase the last ${minutes}?`, text, "Erase")) await send("off_record", { seconds: Number(choice) });
}

async function stop() {
  const text = "The meeting ends for everybody. The transcript stays.";
  if (await askReally("End this meeting?", text, "End it")) await send("stop");
}

async function wantToken(reason) {
  const answer = await askToken(reason);
  if (!answer) return;
  setToken(answer.token, answer.isRemembered);
  if (room) room.connect();
  else showStart(true);
}

/** Where the microphone speaks to: the meeting that is shown and goes on, or a new one. */
function microphoneTarget() {
  const goesOn = room && room.state !== "ended" && !room.isOver && !room.isAway && room.connection.state !== "closed";
  return { session: goesOn ? room.session : "new", title: byId("new-title").value.trim() || undefined };
}

function joined(session) {
  if (room?.session !== session) enter(session);
}

/** Open what the address says: `?session=ID` (or `#ID`), `?list`, or the only meeting that runs. */
function openAddress() {
  const query = new URLSearchParams(location.search);
  const session = query.get("session") ?? decodeURIComponent(location.hash.slice(1));
  if (session) enter(session, false);
  else showStart(!query.has("list"));
}

function setUp() {
  applyTheme();
  search = new Search({
    input: byId("search"),
    count: byId("found"),
    clear: byId("search-clear"),
    root: transcript,
    onShow: (turn) => {
      follow.leave();
      turn.scrollIntoView({ block: "center" });
      turn.focus({ preventScroll: true });
    },
  });
  setUpDownload(() => room);
  byId("theme").onclick = () => drawTheme(nextTheme());
  drawTheme(preference("theme"));
  byId("pause").onclick = () => send(room.state === "paused" ? "resume" : "pause");
  byId("bookmark").onclick = bookmark;
  byId("stop").onclick = stop;
  const off = byId("off-record");
  off.onchange = () => {
    const { value } = off;
    off.value = "";
    if (value) offRecord(value);
  };
  for (const name of ["announce", "shortcuts", "echo"]) {
    byId(`prefer-${name}`).checked = preference(name);
    byId(`prefer-${name}`).onchange = (event) => prefer(name, event.target.checked);
  }
  byId("help").onclick = () => byId("help-dialog").showModal();
  setUpKeys();
  window.addEventListener("popstate", openAddress);
  openAddress();
  setInterval(() => room && drawStatus(room), 1_000);
}

function setUpKeys() {
  const inMeeting = (action) => () => document.body.dataset.view === "meeting" && action();
  listenToKeys({
    "/": inMeeting(() => byId("search").focus()),
    b: inMeeting(() => byId("bookmark").click()),
    p: inMeeting(() => byId("pause").click()),
    m: () => byId("microphone").click(),
    End: inMeeting(() => follow.toEnd()),
    "?": () => byId("help").click(),
  });
}

function drawTheme(theme) {
  const label = { auto: "Colours as the system has them", light: "Light colours", dark: "Dark colours" }[theme];
  byId("theme").setAttribute("aria-label", label);
  byId("theme").title = label;
}

setUp();
