// How far at most, in pixels beyond the edge of the window, the nearest way to sign lies, wherever
// one has scrolled to. A bar that stays at the foot of the window is always there.
() => {
  const ways = [...document.querySelectorAll("a[href$='#sign'], #sign button")].filter((each) =>
    each.checkVisibility({ visibilityProperty: true }),
  );
  if (ways.some((each) => each.closest(".sign-bar") && getComputedStyle(each.closest(".sign-bar")).position === "sticky")) return 0;
  const boxes = ways.map((each) => each.getBoundingClientRect());
  const distance = (top) =>
    Math.min(...boxes.map((box) => Math.max(0, box.top - (top + innerHeight), top - box.bottom)));
  let farthest = 0;
  for (let top = 0; top <= document.documentElement.scrollHeight - innerHeight; top += 50) {
    farthest = Math.max(farthest, distance(top));
  }
  return Math.round(farthest);
}
