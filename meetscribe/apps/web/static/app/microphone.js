/**
 * This browser's microphone as an input of a meeting: getUserMedia → AudioWorklet → `Uplink`.
 *
 * The sound is taken as it is (no noise suppression, no gain control): the recogniser was trained on such sound.
 * A device that goes away is taken again when one comes back; what is missing meanwhile becomes a gap by its position.
 */
import { socketAddress, token } from "./api.js";
import { preference } from "./preferences.js";
import { Uplink } from "./uplink.js";

const SLEPT = 1_000; // milliseconds by which the clock may run ahead of the samples before something is missing
const CHECK_EVERY = 2_000;

/** Why a microphone could not be had, with the remedy. */
export class NoMicrophone extends Error {}

const REMEDIES = {
  NotAllowedError:
    "The browser was told not to let this page use the microphone. Allow it in the site settings (the icon left of " +
    "the address), then try again.",
  NotFoundError: "This device has no microphone, or the system hides it. Plug one in, then try again.",
  NotReadableError: "Another program holds the microphone, or the system refuses it. Close that program, then try again.",
  OverconstrainedError: "The microphone that was chosen is not there any more. Choose another one.",
};

/** Return why this page cannot use a microphone at all, "" where it can. */
export function obstacle(world = globalThis) {
  if (world.navigator.mediaDevices?.getUserMedia && world.AudioWorkletNode) return "";
  if (world.isSecureContext) return "This browser cannot record sound; a current Firefox, Chrome, Edge or Safari can.";
  const { host, port } = world.location;
  return (
    `Browsers give the microphone only to pages from https or localhost, and this page came from http://${host}. ` +
    "Start the server with --tls-cert and --tls-key and open the page with https, or reach it as localhost: " +
    `ssh -L ${port || 8765}:localhost:${port || 8765} ${world.location.hostname}, then http://localhost:${port || 8765}.`
  );
}

/** One use of the microphone, from start to stop. `handlers`: changed(), joined(session), finished(reason), stranded(seconds, reason). */
export class Microphone {
  state = "off"; // off | asking | on | lost | finishing
  peak = 0; // 0…1, of the last moment
  uplink = null;
  #handlers;
  #context = null;
  #stream = null;
  #began = null; // clock and position of the first sample
  #timer = null;
  #wakeLock = null;

  constructor(handlers) {
    this.#handlers = handlers;
  }

  get isOn() {
    return this.state === "on" || this.state === "lost";
  }

  /**
   * Begin to speak to a meeting ("new" starts one, of this title).
   *
   * Throws `NoMicrophone`, whose message says what to do.
   */
  async start(session, title) {
    this.#set("asking");
    try {
      const hindrance = obstacle();
      if (hindrance) throw new NoMicrophone(hindrance);
      await this.#open();
    } catch (error) {
      this.#release();
      this.#set("off");
      throw error;
    }
    const greeting = () => ({ token: token() || undefined, title });
    const stream = { id: crypto.randomUUID(), name: this.#name(), rate: this.#context.sampleRate };
    this.uplink = new Uplink({ session, address: socketAddress, greeting, stream }, this.#uplinkHandlers());
    this.uplink.connect();
    this.#timer = setInterval(() => this.uplink.check(), CHECK_EVERY);
    navigator.mediaDevices.addEventListener("devicechange", this.#reopen);
    document.addEventListener("visibilitychange", this.#stayAwake);
    this.#stayAwake();
    this.#set("on");
  }

  /** Stop recording; what was not sent yet is sent, then `finished` is called. */
  stop() {
    this.#release();
    this.#set("finishing");
    this.uplink?.finish();
  }

  #uplinkHandlers() {
    return {
      joined: (session) => this.#handlers.joined?.(session),
      changed: () => this.#handlers.changed?.(),
      stranded: (reason) => this.#strand(reason),
      finished: (reason) => {
        this.#release();
        clearInterval(this.#timer);
        this.#set("off");
        this.#handlers.finished?.(reason);
      },
    };
  }

  /** The meeting is over: record no more, and ask what becomes of the sound that it did not get. */
  async #strand(reason) {
    this.#release();
    this.#set("finishing");
    if (await this.#handlers.stranded(this.uplink.waiting, reason)) this.uplink.salvage();
    else this.uplink.abandon("");
  }

  async #open() {
    if (!this.#context) {
      // before the microphone, so that nothing is said into one that is not heard yet
      this.#context = new AudioContext({ latencyHint: "balanced" });
      await this.#context.audioWorklet.addModule(new URL("worklet.js", import.meta.url));
      await this.#context.resume();
    }
    const device = preference("microphone");
    const audio = {
      echoCancellation: preference("echo"),
      noiseSuppression: false,
      autoGainControl: false,
      channelCount: { ideal: 1 },
      ...(device ? { deviceId: { ideal: device } } : {}),
    };
    try {
      this.#stream = await navigator.mediaDevices.getUserMedia({ audio });
    } catch (error) {
      throw new NoMicrophone(REMEDIES[error.name] ?? `The microphone does not answer: ${error.message}`);
    }
    const node = new AudioWorkletNode(this.#context, "meetscribe-recorder", { numberOfOutputs: 0 });
    node.port.onmessage = ({ data }) => this.#take(data);
    this.#context.createMediaStreamSource(this.#stream).connect(node);
    this.#stream.getAudioTracks()[0].onended = () => this.#lose();
  }

  #take({ samples, peak, time }) {
    if (!this.uplink || !this.isOn) return;
    const rate = this.#context.sampleRate;
    const { end } = this.uplink.ring;
    this.#began ??= { time: time - (samples.length / rate) * 1000, position: end };
    const due = this.#began.position + Math.round(((time - this.#began.time) / 1000) * rate) - samples.length;
    const slept = due - end > (SLEPT / 1000) * rate;
    this.peak = peak;
    this.uplink.push(samples, slept ? due : end);
    this.#handlers.changed?.();
  }

  #lose() {
    if (!this.isOn) return;
    this.#stream = null;
    this.peak = 0;
    this.#set("lost");
    this.#reopen();
  }

  #reopen = async () => {
    if (this.state !== "lost") return;
    try {
      await this.#open();
      this.#set("on");
    } catch {
      // the next device that comes is tried
    }
  };

  #stayAwake = async () => {
    if (document.visibilityState !== "visible" || !navigator.wakeLock) return;
    this.#wakeLock = await navigator.wakeLock.request("screen").catch(() => null);
  };

  #release() {
    navigator.mediaDevices?.removeEventListener("devicechange", this.#reopen);
    document.removeEventListener("visibilitychange", this.#stayAwake);
    this.#wakeLock?.release();
    for (const track of this.#stream?.getTracks() ?? []) {
      track.onended = null;
      track.stop();
    }
    this.#context?.close();
    this.#wakeLock = this.#stream = this.#context = this.#began = null;
    this.peak = 0;
  }

  #name() {
    return this.#stream.getAudioTracks()[0]?.label || "browser";
  }

  #set(state) {
    this.state = state;
    this.#handlers.changed?.();
  }
}
