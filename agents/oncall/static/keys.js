// Letters give orders of the incident that has the focus, and of no other: elsewhere they are typed.
"use strict";

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  const incident = event.target.closest("[data-keys]");
  if (!incident || event.target.matches("input, textarea, select")) return;
  const step = { j: 1, k: -1 }[event.key];
  if (step) {
    const all = [...document.querySelectorAll("[data-keys]")];
    const next = all[all.indexOf(incident) + step];
    if (next) next.querySelector("a").focus();
  } else {
    const order = incident.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
    if (!order) return;
    order.click();
  }
  event.preventDefault();
});
