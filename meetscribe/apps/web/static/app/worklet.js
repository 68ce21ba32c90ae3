/**
 * Takes what the microphone gives, as 16-bit samples, in the audio thread.
 *
 * Each message: { samples: Int16Array, peak: 0…1, time: ms }. `time` is the clock's when the last sample came, for
 * noticing a sleep, during which no sample is taken.
 */
const AT_ONCE = 2048; // samples in a message: 43 ms at 48 kHz

class Recorder extends AudioWorkletProcessor {
  #samples = new Int16Array(AT_ONCE);
  #filled = 0;
  #peak = 0;

  process([input]) {
    const channels = input.length;
    const length = channels ? input[0].length : 0;
    for (let place = 0; place < length; place++) {
      let sum = 0;
      for (let channel = 0; channel < channels; channel++) sum += input[channel][place];
      this.#take(sum / channels);
    }
    return true;
  }

  #take(value) {
    const held = Math.max(-1, Math.min(1, value));
    this.#samples[this.#filled++] = Math.round(held * 32767);
    this.#peak = Math.max(this.#peak, Math.abs(held));
    if (this.#filled < AT_ONCE) return;
    const message = { samples: this.#samples, peak: this.#peak, time: Date.now() };
    this.port.postMessage(message, [this.#samples.buffer]);
    this.#samples = new Int16Array(AT_ONCE);
    this.#filled = 0;
    this.#peak = 0;
  }
}

registerProcessor("meetscribe-recorder", Recorder);
