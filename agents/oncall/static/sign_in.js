// Moves a one-time link's token from behind the # into the form, and out of the address.
"use strict";

function takeToken() {
  const token = location.hash.slice(1);
  const form = document.getElementById("sign-in");
  if (!token || !form) return;
  history.replaceState(null, "", location.pathname + location.search);
  form.elements.token.value = token;
  document.getElementById("by-hand").hidden = true;
  document.getElementById("by-link").hidden = false;
  form.querySelector("button").focus();
}

takeToken();
addEventListener("hashchange", takeToken);
