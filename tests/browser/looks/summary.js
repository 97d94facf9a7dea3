// The summary of what is wrong with a form, and the fields that are marked.
() => {
  const summary = document.querySelector("[role=alert]");
  const field = (link) => document.getElementById(link.hash.slice(1));
  const wordsAt = (element) =>
    (element?.getAttribute("aria-describedby") ?? "")
      .split(" ")
      .map((id) => document.getElementById(id)?.textContent ?? "")
      .join(" ");
  const links = [...(summary?.querySelectorAll("a[href^='#']") ?? [])];
  return {
    links: links.map((link) => ({
      words: link.textContent.trim(),
      field: field(link)?.matches("input, select, textarea") ? field(link).name : null,
      wordsAtField: wordsAt(field(link)),
    })),
    marked: [...document.querySelectorAll("[aria-invalid=true]")].map((each) => each.name),
  };
};
