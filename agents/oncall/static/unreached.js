// Loads the page anew once the worker says something else of itself. A page that loads itself anew
// in any case would end at the browser's own error where a worker is just being started again, and
// is read out from its beginning each time.
"use strict";

const EVERY_MS = 2000;
const boot = document.getElementById("boot");

async function look() {
  try {
    const told = await (await fetch("/ready")).json();
    if (told.boot !== boot.dataset.boot) return location.reload();
    boot.textContent = "This page comes back by itself.";
  } catch {
    boot.textContent = "This worker does not answer at the moment. This page tries on by itself.";
  }
  return setTimeout(look, EVERY_MS);
}

setTimeout(look, EVERY_MS);
