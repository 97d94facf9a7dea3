// Warns before the desk signs somebody out. Without it, the foot of the page says when that is.
"use strict";

(() => {
  const note = document.getElementById("session-ends");
  if (!note) return;
  const EARLY = 5 * 60 * 1000; // milliseconds
  const opened = Date.now();
  const idle = Number(note.dataset.idleMinutes) * 60 * 1000;
  const ends = Math.min(opened + idle, Date.parse(note.dataset.endsAt));

  const warning = document.createElement("p");
  warning.className = "aside-note";
  warning.setAttribute("role", "alert");
  setTimeout(() => {
    document.querySelector("main").prepend(warning);
    warning.textContent =
      "In five minutes you are signed out. What you type stays on this page: you can sign in again in another tab, and send it then. To stay signed in, open any page of the desk in another tab.";
  }, Math.max(0, ends - EARLY - opened));
})();
