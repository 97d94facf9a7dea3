// Back to the top of the page, as if no key had been pressed. What Tab should reach, in order.
async () => {
  // Until the browser has done what it does of its own accord: autofocus, a scroll, a new width.
  for (let frame = 0; frame < 3; frame += 1) await new Promise(requestAnimationFrame);
  document.body.tabIndex = -1;
  document.body.focus();
  document.body.removeAttribute("tabindex");
  window.scrollTo({ top: 0, behavior: "instant" });
  window.stops = [...document.querySelectorAll("*")].filter(isReachedByTab);
  return window.stops.map(nameOf);
};
