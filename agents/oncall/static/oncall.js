// Keeps what changes on a page current: the server tells when something may show otherwise, and htmx
// asks for it. While nobody tells, the page asks now and then by itself. A page that nobody sees holds
// no connection, as a browser has few of them for a host: it asks how many incidents are open.
// Without htmx or JavaScript, the page is as current as its last load.
"use strict";

const live = document.querySelector("#live[hx-trigger]");
const note = document.getElementById("refresh");

// Milliseconds.
const GRACE = 8000; // for which a worker may be away before it is said
const SILENCE = 20000; // from which on a connection counts as none: the server tells every 5 s
const AGAIN = 1000; // until a connection is tried for again, at first; then twice as long each time
const AGAIN_MOST = 15000;
const ASK = 10000; // between renewals while nobody tells
const COUNT = 30000; // between counts while nobody looks

let events = null;
let told = false; // whether this connection has told something
let tries = 0;
let away = false; // whether the grace is over
let renewed = new Date();
const timers = new Map();

function after(name, milliseconds, act) {
  cancel(name);
  timers.set(name, setTimeout(() => (timers.delete(name), act()), milliseconds));
}

function cancel(...names) {
  for (const name of names) {
    clearTimeout(timers.get(name));
    timers.delete(name);
  }
}

function say(text, troubled, label, href) {
  const link = label ? Object.assign(document.createElement("a"), { textContent: label, href }) : "";
  if (note.textContent !== text + (label || "")) note.replaceChildren(text, link);
  note.classList.toggle("troubled", troubled);
}

function asOf(text) {
  return `${text} As of ${renewed.toLocaleTimeString()}. `;
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

function ask() {
  renew();
  after("ask", ASK, ask);
}

function connect() {
  if (document.hidden || events) return;
  events = new EventSource("/events");
  events.addEventListener("changed", () => {
    told = true;
    tries = 0;
    after("silence", SILENCE, lose);
    renew();
  });
  events.addEventListener("over", () => {
    close();
    connect();
  });
  events.addEventListener("error", lose);
  after("silence", SILENCE, lose);
}

function close() {
  if (events) events.close();
  events = null;
  told = false;
  cancel("silence");
}

// A browser tries again by itself where a connection broke, and never where it was refused.
function lose() {
  const refused = events && events.readyState === EventSource.CLOSED;
  close();
  // Many pages lose a worker at once, and do not all come back at once.
  after("again", Math.min(AGAIN * 2 ** tries++, AGAIN_MOST) * (0.5 + Math.random()), connect);
  doubt();
  if (refused) renew();
}

function doubt() {
  if (away || timers.has("grace")) return;
  after("grace", GRACE, () => {
    away = true;
    ask();
  });
}

function answered({ detail }) {
  const status = detail.xhr ? detail.xhr.status : 0;
  if (detail.successful) {
    renewed = new Date();
    if (told) {
      away = false;
      cancel("grace", "ask");
      say("Live.", false);
    } else if (away) say(`No live updates: renewed every ${ASK / 1000} s.`, false);
  } else if (status === 401) {
    const back = encodeURIComponent(location.pathname + location.search);
    say(asOf("You are not signed in any more."), true, "Sign in again", `/sign-in?next=${back}`);
  } else if (status === 403) {
    const text = "This page is from before you signed in, or your role changed.";
    say(asOf(text), true, "Load it again", location.pathname + location.search);
  } else if (away) say(asOf("Worker not reached."), true);
  if (!detail.successful) doubt();
}

async function count() {
  try {
    const answer = await fetch("/events/incidents");
    const { open } = await answer.json();
    if (answer.ok) document.title = (open ? `(${open}) ` : "") + document.title.replace(/^\(\d+\) /, "");
  } catch {
    // The page says what is the matter once somebody looks at it.
  }
  if (document.hidden) after("count", COUNT, count);
}

function turn() {
  cancel("again", "grace", "ask", "count");
  away = false;
  tries = 0;
  if (document.hidden) {
    close();
    after("count", COUNT, count);
  } else {
    connect();
    renew();
  }
}

if (live && window.htmx) {
  // What somebody opened stays open: the server does not know of it.
  if (window.Idiomorph) {
    Idiomorph.defaults.callbacks.beforeAttributeUpdated = (name) => name !== "open";
    // What was drawn stays: whoever drew it keeps it current.
    Idiomorph.defaults.callbacks.beforeNodeMorphed = (node) => !node.dataset?.steady;
  }
  document.body.addEventListener("htmx:afterRequest", answered);
  document.addEventListener("visibilitychange", turn);
  if (document.hidden) after("count", COUNT, count);
  else connect();
}
