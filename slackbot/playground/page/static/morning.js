/** The strip that plays a busy morning and counts what becomes of the messages. */

import { byId, toast } from "./dom.js";
import { morning, playMorning } from "./server.js";

const EVERY = 700; // milliseconds between two looks at the counter

/** Connect the strip with its button; nothing is asked while it is closed. */
export function startMorning() {
  const strip = byId("morning");
  const toggle = byId("morning-toggle");
  let timer = 0;
  let playing = false;

  const show = (state) => {
    playing = state.playing;
    byId("morning-play").textContent = playing ? "Stop" : "Play a busy morning";
    const counts = { ...state.tally, sent: `${state.sent} of ${state.total}` };
    for (const cell of strip.querySelectorAll("[data-count]")) cell.textContent = counts[cell.dataset.count] ?? 0;
  };
  const look = () => morning().then(show, () => clearInterval(timer));
  const wish = (asked) => playMorning(asked).then(show, (error) => toast(error.message));

  toggle.addEventListener("click", () => {
    strip.hidden = !strip.hidden;
    toggle.setAttribute("aria-expanded", String(!strip.hidden));
    clearInterval(timer);
    if (strip.hidden) return;
    look();
    timer = setInterval(look, EVERY);
  });
  byId("morning-play").addEventListener("click", () => wish({ play: !playing, per_minute: pace() }));
  byId("morning-pace").addEventListener("input", () => showPace());
  byId("morning-pace").addEventListener("change", () => wish({ per_minute: pace() }));
  showPace();
}

const pace = () => Number(byId("morning-pace").value);

const showPace = () => (byId("morning-speed").textContent = `${pace()} a minute`);
