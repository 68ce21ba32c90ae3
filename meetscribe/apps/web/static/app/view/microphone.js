/** The microphone's button, its level, and what it says about audio that waits to be sent. */
import { byId, setText } from "../dom.js";
import { Microphone, NoMicrophone } from "../microphone.js";
import { prefer, preference } from "../preferences.js";
import { duration } from "../times.js";
import { notice } from "./notices.js";
import { askReally, tell } from "./dialogs.js";

const WAITS = 3; // seconds of unsent audio that are worth saying

/** The microphone of this page. `target()` returns { session, title }; `joined(session)` is called when it is in. */
export class MicrophoneView {
  #microphone;
  #target;
  #joined;
  #button = byId("microphone");
  #label = byId("microphone-label");
  #level = byId("microphone-level");
  #note = byId("microphone-note");

  constructor({ target, joined }) {
    this.#target = target;
    this.#joined = joined;
    this.#microphone = this.#make();
    this.#button.onclick = () => this.toggle();
    const device = byId("device");
    device.onchange = () => prefer("microphone", device.value);
    this.#draw();
    window.addEventListener("beforeunload", (event) => {
      if (this.#microphone.state !== "off") event.preventDefault();
    });
  }

  get isBusy() {
    return this.#microphone.state !== "off";
  }

  async toggle() {
    const { state } = this.#microphone;
    if (state === "on" || state === "lost") return this.#microphone.stop();
    if (state !== "off") return null;
    const { session, title } = this.#target();
    try {
      await this.#microphone.start(session, title);
      this.#listDevices();
    } catch (error) {
      if (!(error instanceof NoMicrophone)) console.error(error);
      await tell("The microphone cannot be used", error.message);
    }
    return null;
  }

  #make() {
    return new Microphone({
      changed: () => this.#draw(),
      joined: (session) => this.#joined(session),
      finished: (reason) => reason && notice(reason),
      stranded: (seconds, reason) => {
        const text = `${duration(seconds * 1000)} of what was said here did not reach it (${reason}). Keep it as a new meeting?`;
        return askReally("The meeting takes no more sound", text, "Keep it", "primary");
      },
    });
  }

  async #listDevices() {
    const devices = (await navigator.mediaDevices.enumerateDevices()).filter(({ kind }) => kind === "audioinput");
    const choice = byId("device");
    choice.replaceChildren(...devices.map(({ deviceId, label }) => new Option(label || "Microphone", deviceId)));
    choice.value = preference("microphone") || devices[0]?.deviceId || "";
    byId("device-part").hidden = devices.length < 2;
  }

  #draw() {
    const { state, peak, uplink } = this.#microphone;
    this.#button.dataset.state = state;
    this.#button.setAttribute("aria-pressed", String(state === "on" || state === "lost"));
    setText(this.#label, LABELS[state]);
    this.#level.style.transform = `scaleX(${levelOf(peak).toFixed(3)})`;
    setText(this.#note, noteOf(state, uplink));
  }
}

const LABELS = {
  off: "Use this microphone",
  asking: "Waiting for permission…",
  on: "Stop the microphone",
  lost: "Stop the microphone",
  finishing: "Sending the rest…",
};

/** Return a level from 0 to 1 of a peak: 60 dB wide. */
function levelOf(peak) {
  return peak > 0.001 ? Math.max(0, 1 + (20 * Math.log10(peak)) / 60) : 0;
}

function noteOf(state, uplink) {
  if (state === "lost") return "The microphone is gone. It is used again when it comes back.";
  if (state === "off" || state === "asking" || !uplink) return "";
  const waiting = uplink.waiting > WAITS ? `${duration(uplink.waiting * 1000)} of sound wait to be sent.` : "";
  if (uplink.state !== "open") return `No connection; this page goes on recording. ${waiting}`;
  return waiting;
}
