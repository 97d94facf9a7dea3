// The page as a screen reader's lists show it.
() => {
  const all = (selector) => [...document.querySelectorAll(selector)].filter((each) => each.checkVisibility());
  const labelOf = (element) =>
    element.ariaLabel || document.getElementById(element.getAttribute("aria-labelledby"))?.textContent.trim() || "";
  const ofThePage = (element) => !element.parentElement.closest("main, article, section, nav, aside");
  return {
    language: document.documentElement.lang,
    headings: all("h1, h2, h3, h4, h5, h6").map((each) => [Number(each.localName[1]), each.textContent.trim()]),
    mains: all("main, [role=main]").length,
    banners: all("header, [role=banner]").filter(ofThePage).length,
    feet: all("footer, [role=contentinfo]").filter(ofThePage).length,
    navigations: all("nav, [role=navigation]").map(labelOf),
  };
};
