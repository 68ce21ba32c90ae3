/**
 * Audio that was not acknowledged yet: samples by position, the oldest given up when it is full.
 *
 * Positions count samples (per channel) from the first one of the stream. They may jump forward, where audio is missing.
 */
export class Ring {
  #chunks = []; // { position, samples }, in order
  #first = 0; // of #chunks: the ones before were acknowledged
  #held = 0;
  #limit;
  #acknowledged = 0;

  /** `limit`: samples that are kept at most. */
  constructor(limit) {
    this.#limit = limit;
  }

  /** The position after the last sample. */
  end = 0;
  /** Samples that were given up before they were acknowledged. */
  lost = 0;

  /** The position of the oldest sample that is kept, or the end. */
  get start() {
    return this.#first < this.#chunks.length ? this.#chunks[this.#first].position : this.end;
  }

  /** Samples that wait for their acknowledgement. */
  get held() {
    return this.#held;
  }

  get acknowledged() {
    return this.#acknowledged;
  }

  /** Keep samples (Int16Array) that follow the last ones, or begin at a later position. */
  push(samples, position = this.end) {
    this.#chunks.push({ position: Math.max(position, this.end), samples });
    this.end = Math.max(position, this.end) + samples.length;
    this.#held += samples.length;
    while (this.#held > this.#limit) this.lost += this.#shift();
  }

  /** Forget what lies before a position: it is safe. */
  acknowledge(position) {
    this.#acknowledged = Math.max(this.#acknowledged, Math.min(position, this.end));
    while (this.#first < this.#chunks.length) {
      const { position: from, samples } = this.#chunks[this.#first];
      const done = Math.min(position - from, samples.length);
      if (done <= 0) return;
      if (done < samples.length) {
        this.#chunks[this.#first] = { position: from + done, samples: samples.subarray(done) };
        this.#held -= done;
        return;
      }
      this.#shift();
    }
  }

  /**
   * Return { position, samples } of what is kept from a position on: at most `most` samples without a jump.
   * Null where there is nothing.
   */
  read(position, most) {
    let place = this.#find(position);
    if (place === this.#chunks.length) return null;
    const start = Math.max(position, this.#chunks[place].position);
    const parts = [];
    let next = start;
    while (place < this.#chunks.length && next - start < most && this.#chunks[place].position <= next) {
      const { position: from, samples } = this.#chunks[place++];
      parts.push(samples.subarray(next - from, next - from + most - (next - start)));
      next += parts.at(-1).length;
    }
    const samples = new Int16Array(next - start);
    let filled = 0;
    for (const part of parts) {
      samples.set(part, filled);
      filled += part.length;
    }
    return { position: start, samples };
  }

  /** Return the first chunk that has samples at or after a position (binary search). */
  #find(position) {
    let low = this.#first;
    let high = this.#chunks.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const { position: from, samples } = this.#chunks[middle];
      if (from + samples.length <= position) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #shift() {
    const count = this.#chunks[this.#first].samples.length;
    this.#chunks[this.#first++] = null;
    this.#held -= count;
    if (this.#first > 256 && this.#first * 2 > this.#chunks.length) {
      this.#chunks = this.#chunks.slice(this.#first);
      this.#first = 0;
    }
    return count;
  }
}
