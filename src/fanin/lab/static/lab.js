/** The lab: what the form says goes to the server, what it draws comes back. */

import { latest, post, speaker, swap } from "./net.js";
import * as recipe from "./recipe.js";

const by = (id) => document.getElementById(id);
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const say = speaker(by("said"));
const SETTLED = 250; // milliseconds without a change after which the seeds are run

let session = "";
let steps = [0];
let stream = null;
let settling = 0;

function complain(error) {
  by("wrong").hidden = false;
  by("wrong").textContent = error.message;
}

/** Put a picture of one moment into the page. */
function paint(shown) {
  by("wrong").hidden = true;
  for (const [name, html] of Object.entries(shown.panels)) swap(name, html);
  if (shown.summary) say(shown.summary);
  if (!shown.steps) return;
  steps = shown.steps;
  by("scrub").max = steps.length - 1;
  const at = steps.findLastIndex((step) => step <= shown.step);
  by("scrub").value = at;
  by("scrub").setAttribute("aria-valuetext", `step ${shown.step}`);
  by("at").textContent = `step ${shown.step}`;
  document.body.dataset.painted = String(performance.now());
}

/** Ask, and paint; what goes wrong is said. */
async function show(path, value = {}) {
  try {
    const shown = await post(path, { session, kind: by("kind").value, ...value });
    if (shown.session) session = shown.session;
    paint(shown);
    return true;
  } catch (error) {
    complain(error);
    return false;
  }
}

const start = latest(async (said) => {
  clearTimeout(settling);
  if (await show("/lab/start", said)) settling = setTimeout(() => seeds(session), SETTLED);
});

/** Add the band over seeds, once nothing has changed for a moment. */
async function seeds(of) {
  try {
    const shown = await post("/lab/spread", { session: of, kind: by("kind").value });
    if (of === session && steps.length === 1) paint(shown);
  } catch (error) {
    if (of === session) complain(error);
  }
}

function changed() {
  pause();
  const said = recipe.read();
  if (said === null) return complain(new Error("A number is missing or out of its range."));
  history.replaceState(null, "", recipe.toHash(said));
  start(said);
}

function play() {
  if (stream) return pause();
  const asked = new URLSearchParams({ session, kind: by("kind").value, pace: calm.matches ? "calm" : "quick" });
  stream = new EventSource(`/lab/play?${asked}`);
  stream.onmessage = (event) => paint(JSON.parse(event.data));
  stream.addEventListener("end", () => pause());
  stream.addEventListener("failed", (event) => complain(new Error(JSON.parse(event.data))));
  stream.onerror = () => pause();
  by("play").setAttribute("aria-pressed", "true");
  by("play").textContent = "Pause";
}

function pause() {
  if (!stream) return;
  stream.close();
  stream = null;
  post("/lab/stop", { session }).catch(() => {});
  by("play").setAttribute("aria-pressed", "false");
  by("play").textContent = "Play";
}

const scrub = latest((step) => show("/lab/frame", { step }));

/** Take steps from the newest moment; from an earlier one, go to the next that was kept. */
function step(n_steps) {
  pause();
  const at = Number(by("scrub").value);
  if (at < steps.length - 1) return scrub(steps[at + 1]);
  return show("/lab/step", { n_steps });
}

function back() {
  pause();
  const at = Math.max(0, Number(by("scrub").value) - 1);
  scrub(steps[at]);
}

function reseed() {
  const seed = by("a-seed");
  seed.value = Number(seed.value) + 1;
  changed();
}

by("play").onclick = play;
by("step").onclick = () => step(1);
by("leap").onclick = () => step(10);
by("rewind").onclick = changed;
by("reseed").onclick = reseed;
by("scrub").oninput = (event) => {
  pause();
  scrub(steps[Number(event.target.value)]);
};
by("kind").onchange = () => {
  pause();
  scrub(steps[Number(by("scrub").value)]);
};

const KEYS = { " ": play, ArrowRight: () => step(1), ArrowLeft: back, r: changed, n: reseed };

document.querySelector(".bench").addEventListener("keydown", (event) => {
  if (event.target.closest("input, select, button, summary, a, .scroll")) return;
  const act = KEYS[event.key] ?? KEYS[event.key.toLowerCase()];
  if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  act();
});

const kept = recipe.fromHash(location.hash);
if (kept) recipe.write(kept);
recipe.show();
recipe.listen(changed);
window.addEventListener("hashchange", () => {
  const values = recipe.fromHash(location.hash);
  if (values) recipe.write(values);
  changed();
});
window.addEventListener("pagehide", () => stream?.close());
changed();
