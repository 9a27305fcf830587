// Renews the parts of the page once a second. Without it, the page is as current as its last load.
"use strict";

const PERIOD_MS = 1000;
const LIMIT_MS = 5000;
const main = document.querySelector("main[data-parts]");
const note = document.getElementById("refresh");
let renewed = new Date();

function say(text, troubled) {
  if (note.textContent !== text) note.textContent = text;
  note.classList.toggle("troubled", troubled);
}

// Only what differs is replaced, so that focus stays and screen readers hear changes alone.
function renew(html) {
  const page = new DOMParser().parseFromString(html, "text/html");
  for (const part of page.body.children) {
    const old = document.getElementById(part.id);
    if (old && old.innerHTML !== part.innerHTML) old.replaceChildren(...part.childNodes);
  }
}

function selecting() {
  const selection = document.getSelection();
  return !selection.isCollapsed && main.contains(selection.anchorNode);
}

async function refresh() {
  if (selecting()) {
    say("Paused while text is selected.", true);
    return;
  }
  try {
    const response = await fetch(main.dataset.parts, { signal: AbortSignal.timeout(LIMIT_MS) });
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    renew(await response.text());
    renewed = new Date();
    say("Refreshed every second.", false);
  } catch {
    say(`Worker not reached. As of ${renewed.toLocaleTimeString()}.`, true);
  }
}

async function run() {
  for (;;) {
    if (!document.hidden) await refresh();
    await new Promise((done) => setTimeout(done, PERIOD_MS));
  }
}

run();
