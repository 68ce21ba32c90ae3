"use strict";
(() => {
  const whole = document.getElementById("whole");
  const voice = document.getElementById("voice");
  const said = document.getElementById("said");
  if (!whole) return;
  const turns = [...document.querySelectorAll(".turn")];
  const bars = new Map([...document.querySelectorAll(".strip a")].map((bar) => [bar.getAttribute("href").slice(1), bar]));
  let until = Infinity;

  const tell = (text) => { said.textContent = text; };
  const failed = () => tell("The sound cannot be played: the audio file has to lie beside this page.");
  const start = (player) => player.play().then(() => tell(""), failed);

  const hear = (turn) => {
    voice.pause();
    until = Number(turn.dataset.end) + 0.3;
    whole.currentTime = Math.max(0, Number(turn.dataset.start) - 0.2);
    start(whole);
  };
  const hearAlone = (button) => {
    whole.pause();
    voice.src = button.dataset.voice;
    start(voice);
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.classList.contains("play")) hear(button.closest(".turn"));
    if (button.classList.contains("alone")) hearAlone(button);
  });
  whole.addEventListener("error", failed);
  whole.addEventListener("seeking", () => { if (whole.paused) until = Infinity; });
  whole.addEventListener("timeupdate", () => {
    const now = whole.currentTime;
    if (now >= until) { until = Infinity; whole.pause(); }
    for (const turn of turns) {
      const on = !whole.paused && Number(turn.dataset.start) <= now && now < Number(turn.dataset.end);
      turn.classList.toggle("now", on);
      bars.get(turn.id)?.classList.toggle("now", on);
    }
  });
})();
