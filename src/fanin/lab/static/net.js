/** Ask the server, and put what it answers into the page. */

/** POST a value as JSON; give the answer, or throw an Error with the server's words. */
export async function post(path, value, signal) {
  const response = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(value),
    signal,
  });
  const text = await response.text();
  let answer = {};
  try {
    answer = JSON.parse(text);
  } catch {
    throw new Error(text || `The server answered ${response.status}.`);
  }
  if (!response.ok) throw new Error(answer.error ?? `The server answered ${response.status}.`);
  return answer;
}

/** Replace what stands in an element; parts that were unfolded stay so. */
export function swap(id, html) {
  const place = document.getElementById(id);
  if (!place) return;
  const open = [...place.querySelectorAll("details")].map((part) => part.open);
  const focused = [...place.querySelectorAll("summary, [tabindex]")].indexOf(document.activeElement);
  place.innerHTML = html;
  place.hidden = html === "";
  [...place.querySelectorAll("details")].forEach((part, i) => (part.open = open[i] ?? false));
  if (focused >= 0) [...place.querySelectorAll("summary, [tabindex]")][focused]?.focus();
}

/**
 * Run a job for the latest value only: while one runs, of all that come the last is kept,
 * so that a slider never waits behind its own past.
 */
export function latest(job) {
  let running = false;
  let waiting = null;
  return async function ask(value) {
    if (running) {
      waiting = { value };
      return;
    }
    running = true;
    try {
      await job(value);
    } finally {
      running = false;
      if (waiting) {
        const next = waiting.value;
        waiting = null;
        ask(next);
      }
    }
  };
}

/** Say something to a screen reader at most once a second; the last words always come. */
export function speaker(element, pause = 1000) {
  let last = 0;
  let timer = 0;
  return function say(words) {
    clearTimeout(timer);
    const wait = Math.max(0, last + pause - performance.now());
    const speak = () => {
      last = performance.now();
      element.textContent = words;
    };
    if (wait === 0) speak();
    else timer = setTimeout(speak, wait);
  };
}
