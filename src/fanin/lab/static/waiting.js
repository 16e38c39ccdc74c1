/** Wait until the check is done, then show the page that has it. */

async function wait() {
  try {
    const answer = await fetch("/model/done");
    const { is_done } = await answer.json();
    if (is_done) return location.reload();
  } catch {
    document.getElementById("waiting").textContent = "The lab has ended: start it again.";
    return;
  }
  wait();
}

wait();
