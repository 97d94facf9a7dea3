// What would move.
() => {
  const seconds = (list) => Math.max(...list.split(",").map(parseFloat));
  const faults = document.getAnimations().map((each) => `${nameOf(each.effect.target)} is moving`);
  for (const element of document.querySelectorAll("*")) {
    for (const part of [null, "::before", "::after"]) {
      const style = getComputedStyle(element, part);
      if (seconds(style.transitionDuration) > 0) faults.push(`${nameOf(element)} has a transition`);
      if (style.animationName !== "none") faults.push(`${nameOf(element)} has an animation`);
    }
    if (getComputedStyle(element).scrollBehavior === "smooth") faults.push(`${nameOf(element)} scrolls smoothly`);
  }
  return faults;
};
