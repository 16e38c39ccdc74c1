/* Sliders: ask the server for the page at other settings, and put its parts in place.
   The address carries the settings, so that it can be sent to somebody. */
import { latest } from "/static/lab/net.js";

const form = document.querySelector("[data-settings]");
const file = document.querySelector("[data-file]");
const name = location.pathname.split("/").pop();

function address() {
  const changed = new URLSearchParams();
  for (const field of form.querySelectorAll("input[type=number]"))
    if (field.value !== field.dataset.usualValue) changed.set(field.name, field.value);
  const query = changed.toString();
  return query ? `${location.pathname}?${query}` : location.pathname;
}

const ask = latest(async (where) => {
  const wrong = form.querySelector("[data-wrong]");
  const response = await fetch(where);
  const text = await response.text();
  if (!response.ok) {
    wrong.hidden = false;
    wrong.textContent = JSON.parse(text).error;
    return;
  }
  wrong.hidden = true;
  history.replaceState(null, "", where);
  file.href = `/lessons/${name}/file${location.search}`;
  const page = new DOMParser().parseFromString(text, "text/html");
  const data = JSON.parse(page.getElementById("fanin-data").textContent);
  for (const part of ["explain", "what-to-do-instead"]) renew(page, part);
  renewCode(page);
  const figures = page.querySelectorAll("[data-renew]");
  document.querySelectorAll("[data-renew]").forEach((each, k) => each.replaceWith(figures[k]));
  document.dispatchEvent(new CustomEvent("frames", { detail: data.frames }));
});

/** Replace what is not played: statements, charts, code. Players keep their place. */
function renew(page, part) {
  const now = document.querySelector(`.part-${part} .after`);
  const then = page.querySelector(`.part-${part} .after`);
  if (!now || !then) return;
  const player = now.querySelector("[data-player]");
  const opened = [...now.querySelectorAll("details")].map((each) => each.open);
  const place = then.querySelector("[data-player]");
  if (player && place) place.replaceWith(player);
  now.replaceChildren(...then.childNodes);
  [...now.querySelectorAll("details")].forEach((each, k) => { each.open = opened[k] ?? false; });
}

function renewCode(page) {
  const now = document.querySelectorAll(".part-run code");
  const then = page.querySelectorAll(".part-run code");
  now.forEach((each, k) => { if (then[k]) each.textContent = then[k].textContent; });
}

if (form) {
  form.addEventListener("input", (event) => {
    const { slider } = event.target.dataset;
    if (slider) form.elements[slider].value = event.target.value;
    else form.querySelector(`[data-slider="${event.target.name}"]`).value = event.target.value;
    if (form.checkValidity()) ask(address());
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.querySelector("[data-usual]").addEventListener("click", () => {
    for (const field of form.querySelectorAll("input[type=number]")) {
      field.value = field.dataset.usualValue;
      form.querySelector(`[data-slider="${field.name}"]`).value = field.value;
    }
    ask(address());
  });
  file.href = `/lessons/${name}/file${location.search}`;
}

document.addEventListener("answered", (event) => {
  try {
    localStorage.setItem(`fanin.lesson.${name}`, event.detail.right ? "right" : "seen");
  } catch { /* a browser that keeps nothing keeps nothing */ }
});
