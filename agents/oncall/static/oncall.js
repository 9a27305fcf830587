// Keeps what changes on a page current: the server tells when something may show otherwise, and htmx
// asks for it. Without htmx or JavaScript, the page is as current as its last load.
"use strict";

const live = document.querySelector("#live[hx-trigger]");
const note = document.getElementById("refresh");
let renewed = new Date();

function say(text, troubled) {
  if (note.textContent !== text) note.textContent = text;
  note.classList.toggle("troubled", troubled);
}

function lost() {
  say(`Worker not reached. As of ${renewed.toLocaleTimeString()}.`, true);
}

// What somebody is at is not taken from under them.
function busy() {
  const selection = document.getSelection();
  if (!selection.isCollapsed && live.contains(selection.anchorNode)) return "text is selected";
  const field = document.activeElement;
  if (live.contains(field) && field.matches("input, textarea, select")) return "a form is filled in";
  return "";
}

function renew() {
  const why = busy();
  if (why) say(`Paused while ${why}.`, true);
  else if (!document.hidden) htmx.trigger(live, "changed");
}

if (live && window.htmx) {
  // What somebody opened stays open: the server does not know of it.
  if (window.Idiomorph) {
    Idiomorph.defaults.callbacks.beforeAttributeUpdated = (name) => name !== "open";
    // What was drawn stays: whoever drew it keeps it current.
    Idiomorph.defaults.callbacks.beforeNodeMorphed = (node) => !node.dataset?.steady;
  }
  document.body.addEventListener("htmx:afterRequest", (event) => {
    if (!event.detail.successful) return lost();
    renewed = new Date();
    say("Live.", false);
  });
  document.addEventListener("visibilitychange", renew);
  const events = new EventSource("/events");
  events.addEventListener("changed", renew);
  events.addEventListener("error", lost);
}
