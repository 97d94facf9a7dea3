// Rules of the reader's own, as a browser's extension would set them; none when there are none.
(rules) => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(rules);
  document.adoptedStyleSheets = rules ? [sheet] : [];
};
