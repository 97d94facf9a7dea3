// Where the system chooses all colours, what is there to be pressed and where the focus is must
// still be told by lines. The last key that was pressed must be Tab, so that the focus shows.
() => {
  const faults = [];
  for (const element of document.querySelectorAll("*")) {
    if (!canHaveFocus(element)) continue;
    element.focus();
    for (const fault of faultsOfFocusRing(element)) faults.push(`${nameOf(element)} ${fault}`);
    if (!element.matches("button, .button")) continue;
    const { borderTopStyle, borderTopWidth, borderTopColor, backgroundColor } = getComputedStyle(element);
    if (borderTopStyle === "none" || parseFloat(borderTopWidth) < 1 || borderTopColor === backgroundColor) {
      faults.push(`${nameOf(element)} has no border`);
    }
  }
  return faults;
};
