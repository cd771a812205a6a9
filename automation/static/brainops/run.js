// Keeps the page of a run fresh while it runs: asks for the part that changes and puts it in place.
// Honest about it: "Live", "Every 5 s", "Connection lost". Stops when the run has ended or the tab is hidden.

const FAST_MS = 1000;
const SLOW_MS = 5000; // after a minute without a change, and while waiting
const PATIENCE = 60; // fast looks without a change

const page = document.getElementById("run");
const said = document.getElementById("run-said");
let quiet = 0;
let failures = 0;
let before = "";

function openFolds() {
  const all = [...page.querySelectorAll("details[id]")];
  return new Map(all.map((fold) => [fold.id, fold.open]));
}

function mark(state, words) {
  const live = document.getElementById("run-live-mark");
  if (!live) return;
  live.dataset.state = state;
  live.lastElementChild.textContent = words;
}

function show(html) {
  if (html === before) {
    quiet += 1;
    return;
  }
  before = html;
  quiet = 0;
  const known = openFolds();
  const focused = document.activeElement?.closest("details[id]")?.id;
  const scrolled = new Map([...page.querySelectorAll("details[id] > pre")].map((pre) => [pre.parentElement.id, pre.scrollTop]));
  page.innerHTML = html; // made by our own templates, which escape everything
  for (const fold of page.querySelectorAll("details[id]")) {
    if (known.has(fold.id)) fold.open = known.get(fold.id) || (fold.open && fold.dataset.tone === "danger");
  }
  for (const [id, top] of scrolled) {
    const pre = document.getElementById(id)?.querySelector(":scope > pre");
    if (pre) pre.scrollTop = top;
  }
  if (focused) document.getElementById(focused)?.querySelector("summary")?.focus();
}

function tell(state) {
  if (said.textContent !== state) said.textContent = state; // spoken by screen readers
}

async function look() {
  const answer = await fetch(location.href, { headers: { "Brainops-Live": "1" }, credentials: "same-origin" });
  if (answer.redirected || !answer.ok) throw new Error(String(answer.status));
  show(await answer.text());
  const state = page.firstElementChild.dataset;
  tell(state.word);
  document.title = `${state.word} · ${document.title.split(" · ").pop()}`;
  return state.final === "yes";
}

async function watch() {
  if (document.hidden) {
    document.addEventListener("visibilitychange", watch, { once: true });
    return;
  }
  try {
    if (await look()) return; // the end
    failures = 0;
    mark(quiet < PATIENCE ? "live" : "late", quiet < PATIENCE ? "Live" : `Every ${SLOW_MS / 1000} s`);
  } catch (error) {
    failures += 1;
    mark("lost", failures < 5 ? "Connection lost, trying again" : "Connection lost. Reload the page");
    if (failures >= 60) return;
  }
  setTimeout(watch, quiet < PATIENCE && failures === 0 ? FAST_MS : SLOW_MS);
}

if (page?.dataset.live === "yes") setTimeout(watch, FAST_MS);
