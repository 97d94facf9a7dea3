// All of the page but its colours: a line for each element.
async () => {
  await document.fonts.ready;
  const lineOf = (element) => {
    const { x, y, width, height } = element.getBoundingClientRect();
    const hasBox = element.getClientRects().length > 0;
    const place = hasBox && [x + scrollX, y + scrollY, width, height];
    const isSeen = element.checkVisibility({ visibilityProperty: true, opacityProperty: true });
    const added = ["::before", "::after"].map((part) => getComputedStyle(element, part).content);
    const words = [...element.childNodes].filter((each) => each.nodeType === Node.TEXT_NODE).map((each) => each.data);
    const own = [...element.attributes].map((each) => `${each.name}=${each.value}`);
    return JSON.stringify([element.localName, isSeen, place, added, words, own, element.currentSrc]);
  };
  return [...document.querySelectorAll("*")].map(lineOf).join("\n");
};
