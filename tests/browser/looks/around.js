// What stands around every page's own part: where, and a word that is the same wherever it looks the
// same. What is of one session alone counts for nothing in it. The links that skip to the page's own
// part are no part of this: whether they lead anywhere is different on every page.
() => {
  const styles = [...document.styleSheets].map((each) => each.href);
  const isDark = matchMedia("(prefers-color-scheme: dark)").matches;
  const kindOf = (element) => {
    const copy = element.cloneNode(true);
    copy.querySelectorAll("input[type=hidden]").forEach((each) => each.remove());
    return copy.outerHTML.replace(/\d+/g, "0");
  };
  return ["body > header", "body > footer"].flatMap((place) => {
    const found = document.querySelectorAll(place);
    const kinds = [...found].map(kindOf);
    return kinds.length === 0 ? [] : [[place, JSON.stringify([document.body.className, styles, isDark, innerWidth, kinds])]];
  });
};
