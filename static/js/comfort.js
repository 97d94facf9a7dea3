// Comforts for those whose browser runs scripts. Everything works without them.
"use strict";

// Shift pressed three times leaves the site, as "Leave this page" does.
(() => {
  const PRESSES = 3;
  const PATIENCE = 5000; // milliseconds for all three
  const link = document.querySelector("a.leave");
  if (!link) return;

  // Not there before it is needed; its words come a moment after it, so that they are read out.
  const told = document.createElement("p");
  told.className = "quiet";
  told.setAttribute("role", "status");

  let presses = 0;
  let timer;
  const forget = () => {
    presses = 0;
    told.remove();
    told.textContent = "";
    clearTimeout(timer);
  };
  const leave = () => {
    document.body.hidden = true; // at once, however slow the other page is
    document.title = "";
    location.replace(link.href);
  };

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Shift") forget();
  });
  document.addEventListener("keyup", (event) => {
    if (event.key !== "Shift" || event.ctrlKey || event.altKey || event.metaKey) return;
    presses += 1;
    if (presses === PRESSES) return leave();
    clearTimeout(timer);
    timer = setTimeout(forget, PATIENCE);
    const left = PRESSES - presses;
    document.body.append(told);
    setTimeout(() => {
      told.textContent = `Press Shift ${left} more ${left === 1 ? "time" : "times"} to leave this site.`;
    }, 50);
  });
  // Brought back by the back button, the page shows itself again.
  addEventListener("pageshow", () => {
    document.body.hidden = false;
    forget();
  });
})();

// The count goes on while the page is open, as long as somebody looks at it.
(() => {
  const INTERVAL = 60_000; // milliseconds
  const LONGEST = 60; // times; a page left open for ever asks no longer
  const numeral = document.querySelector("[data-count]");
  const clock = document.querySelector("[data-counted-at]");
  if (!numeral || !clock) return;

  const LONDON = { timeZone: "Europe/London" };
  const time = new Intl.DateTimeFormat("en-GB", { ...LONDON, hour: "2-digit", minute: "2-digit" });
  const day = new Intl.DateTimeFormat("en-GB", { ...LONDON, day: "numeric", month: "long", year: "numeric" });

  const refresh = async () => {
    if (document.hidden) return;
    try {
      const answer = await fetch("/petition/count.json");
      if (!answer.ok) return;
      const { count, as_at } = await answer.json();
      if (count < 2) return; // the words around one or none are other words
      const moment = new Date(as_at);
      numeral.textContent = count.toLocaleString("en-GB");
      clock.textContent = `${time.format(moment)} on ${day.format(moment)}`;
      clock.dateTime = as_at;
    } catch {
      // The number that stands there says when it was true.
    }
  };
  let times = 0;
  const timer = setInterval(() => {
    times += 1;
    if (times > LONGEST) clearInterval(timer);
    else refresh();
  }, INTERVAL * (0.8 + Math.random() * 0.4));
})();
