// What the other scripts share: how an element is named in a fault, and what counts as seen.
const nameOf = (element) => {
  const words = (element.textContent || element.name || "").trim().replace(/\s+/g, " ").slice(0, 50);
  const place = element.id ? `#${element.id}` : element.classList.length ? `.${element.classList[0]}` : "";
  return `<${element.localName}${place}> “${words}”`;
};

// Words for screen readers alone, and the robots' field, are small or cut away on purpose.
const isForEyes = (element) => {
  if (!element.checkVisibility({ visibilityProperty: true })) return false;
  for (let each = element; each; each = each.parentElement) {
    if (each.ariaHidden === "true" || getComputedStyle(each).clipPath !== "none") return false;
  }
  return true;
};

const canHaveFocus = (element) =>
  element.matches("a[href], button, input, select, textarea, summary, [tabindex]") &&
  element.tabIndex >= 0 &&
  !element.matches(":disabled") &&
  element.type !== "hidden" &&
  element.checkVisibility({ visibilityProperty: true });

// Of a group of radio buttons, Tab reaches the one that is chosen, or else the first.
const isReachedByTab = (element) => {
  if (!canHaveFocus(element)) return false;
  if (element.type !== "radio") return true;
  const group = [...document.querySelectorAll("[type=radio]")].filter(
    (each) => each.name === element.name && each.form === element.form,
  );
  return element === (group.find((each) => each.checked) ?? group[0]);
};

const luminance = (colour) => {
  const [red, green, blue] = colour.match(/[\d.]+/g).slice(0, 3).map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
};

const contrast = (one, other) => {
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
};

const paperBehind = (element) => {
  for (let each = element.parentElement; each; each = each.parentElement) {
    const colour = getComputedStyle(each).backgroundColor;
    if (!/, 0\)$/.test(colour)) return colour;
  }
  return "rgb(255, 255, 255)";
};

const faultsOfFocusRing = (element) => {
  const { outlineStyle, outlineWidth, outlineColor } = getComputedStyle(element);
  if (outlineStyle === "none" || parseFloat(outlineWidth) < 2) return ["shows no focus ring of 2 pixels"];
  const seen = contrast(outlineColor, paperBehind(element));
  return seen < 3 ? [`has a focus ring with a contrast of only ${seen.toFixed(1)}`] : [];
};
