/** The form: its values, its sliders, and the address that holds both. */

const fields = () => [...document.querySelectorAll(".recipe [data-name]")];
const pair = () => document.querySelector(".recipe [name=pair]");

/** Give what the form says: {a: {…}, b: {…} or null}; null where a number is no number. */
export function read() {
  const said = { a: {}, b: pair().checked ? {} : null };
  for (const field of fields()) {
    const side = said[field.dataset.side];
    if (!side) continue;
    if (!field.checkValidity()) return null;
    side[field.dataset.name] = field.type === "number" ? Number(field.value) : field.value;
  }
  return said;
}

/** Write values into the form; names that it does not have are left out. */
export function write(values) {
  pair().checked = "b" in values;
  show();
  for (const field of fields()) {
    const value = values[field.dataset.side]?.[field.dataset.name];
    if (value === undefined) continue;
    field.value = value;
    follow(field);
  }
}

/** Show or hide the settings of B. */
export function show() {
  const second = document.querySelector(".recipe .second");
  second.hidden = second.disabled = !pair().checked;
}

/** Move a field's slider to where the field is. */
function follow(field) {
  const slider = document.querySelector(`[data-of="${field.id}"]`);
  if (!slider) return;
  const value = Number(field.value);
  slider.value = "log" in slider.dataset ? Math.log10(value) : value;
  slider.setAttribute("aria-valuetext", field.value);
}

/** Move a slider's field to where the slider is. */
function lead(slider) {
  const field = document.getElementById(slider.dataset.of);
  const value = Number(slider.value);
  field.value = "log" in slider.dataset ? Number((10 ** value).toPrecision(3)) : value;
  slider.setAttribute("aria-valuetext", field.value);
}

/** Call back on every change that leaves the form valid. */
export function listen(changed) {
  const form = document.querySelector(".recipe");
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", (event) => {
    const target = event.target;
    if (target.name === "pair") {
      if (target.checked) copyToB();
      show();
    } else if (target.type === "range") lead(target);
    else follow(target);
    changed();
  });
}

/** Let B begin as a copy of A. */
function copyToB() {
  for (const field of fields().filter((each) => each.dataset.side === "b")) {
    field.value = document.getElementById(field.id.replace(/^b-/, "a-")).value;
    follow(field);
  }
}

/** Give the form as the part of an address after #. */
export function toHash(said) {
  const parts = new URLSearchParams();
  for (const side of ["a", "b"])
    for (const [name, value] of Object.entries(said[side] ?? {})) parts.set(`${side}.${name}`, value);
  return `#${parts}`;
}

/** Read such a part of an address; null where there is none. */
export function fromHash(hash) {
  if (hash.length < 2) return null;
  const values = {};
  for (const [key, value] of new URLSearchParams(hash.slice(1))) {
    const [side, name] = key.split(".");
    if (name && (side === "a" || side === "b")) (values[side] ??= {})[name] = value;
  }
  return values;
}
