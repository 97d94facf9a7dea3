// Back to the top of the page, as if no key had been pressed. What Tab should reach, in order. From
// now on each stop is looked at when the key is let go: then the browser has moved the focus, and
// scrolled to it, and no other key has been pressed.
async () => {
  // Where the focus is, and what a person who looks for it would miss.
  const lookAt = (element) => {
    if (!element || element === document.body) return null;
    const faults = faultsOfFocusRing(element);
    for (const box of element.getClientRects()) {
      if (!box.width || !box.height) continue;
      // Into what is higher than the window, and into a text of many lines, one looks from its top.
      const isHigh = element.localName === "textarea" || box.height > innerHeight;
      const bottom = isHigh ? box.top + 44 : box.bottom;
      if (box.left < -1 || box.right > innerWidth + 1 || box.top < -1 || bottom > innerHeight + 1) {
        faults.push(`is out of view, at ${Math.round(box.left)}, ${Math.round(box.top)}`);
      }
      const [x, y] = [box.left + box.width / 2, box.top + box.height / 2];
      for (const [left, top] of [[x, y], [box.left + 2, y], [box.right - 2, y], [x, box.top + 2], [x, box.bottom - 2]]) {
        const hit = document.elementFromPoint(left, top);
        // A press on its own label is a press on it.
        const isOwn = [element, ...(element.labels ?? [])].some((each) => each.contains(hit));
        if (hit && !isOwn && !hit.contains(element)) faults.push(`is covered by ${nameOf(hit)}`);
      }
    }
    return { number: stops.indexOf(element), name: nameOf(element), faults: [...new Set(faults)] };
  };

  // Until the browser has done what it does of its own accord: autofocus, a scroll, a new width.
  for (let frame = 0; frame < 3; frame += 1) await new Promise(requestAnimationFrame);
  document.body.tabIndex = -1;
  document.body.focus();
  document.body.removeAttribute("tabindex");
  window.scrollTo({ top: 0, behavior: "instant" });
  const stops = [...document.querySelectorAll("*")].filter(isReachedByTab);
  window.reached = [];
  window.walk?.abort();
  window.walk = new AbortController();
  const note = (event) => event.key === "Tab" && window.reached.push(lookAt(document.activeElement));
  window.addEventListener("keyup", note, { capture: true, signal: window.walk.signal });
  return stops.map(nameOf);
};
