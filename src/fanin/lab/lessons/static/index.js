/* Marks the lessons that this browser has answered. Nothing leaves the machine. */
for (const item of document.querySelectorAll("[data-lesson]")) {
  let seen = null;
  try {
    seen = localStorage.getItem(`fanin.lesson.${item.dataset.lesson}`);
  } catch { /* nothing is kept */ }
  if (!seen) continue;
  const mark = document.createElement("span");
  mark.className = `mark ${seen}`;
  mark.textContent = seen === "right" ? "✓ answered" : "seen";
  item.querySelector("a").after(mark);
}
