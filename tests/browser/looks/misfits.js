// What makes the page scroll sideways, is cut off, or runs out of its box.
() => {
  const room = document.documentElement.clientWidth;
  const faults = [];
  const scrolls = (element) => {
    for (let each = element; each && each !== document.documentElement; each = each.parentElement) {
      if (/auto|scroll/.test(getComputedStyle(each).overflowX)) return true;
    }
    return false;
  };
  const wordsRunOff = (element) =>
    [...element.childNodes].some((node) => {
      if (node.nodeType !== Node.TEXT_NODE || !node.data.trim()) return false;
      const range = document.createRange();
      range.selectNodeContents(node);
      return [...range.getClientRects()].some((box) => box.left < -1 || box.right > room + 1);
    });

  if (document.scrollingElement.scrollWidth > room) {
    faults.push(`the page scrolls sideways: ${document.scrollingElement.scrollWidth} of ${room} pixels`);
  }
  for (const element of document.body.querySelectorAll("*")) {
    if (!isForEyes(element) || scrolls(element)) continue;
    const style = getComputedStyle(element);
    const isWide = element.scrollWidth > element.clientWidth + 1;
    const isHigh = element.scrollHeight > element.clientHeight + 1;
    const cuts = /hidden|clip/.test(style.overflow) && !element.matches("input, select, textarea");
    if (cuts && (isWide || isHigh)) faults.push(`${nameOf(element)} is cut off`);
    else if (isWide && style.display === "block" && element.clientWidth) {
      faults.push(`${nameOf(element)} runs out of its box`);
    }
    if (wordsRunOff(element)) faults.push(`${nameOf(element)} runs off the page`);
    // A closed list breaks its line only where its looks are the page's own.
    if (element.localName === "select" && style.appearance !== "base-select") {
      const pen = document.createElement("canvas").getContext("2d");
      pen.font = style.font;
      pen.letterSpacing = style.letterSpacing;
      const words = pen.measureText(element.selectedOptions[0].label).width;
      if (words > element.clientWidth) faults.push(`${nameOf(element)} is too narrow for its choice`);
    }
  }
  return faults;
};
