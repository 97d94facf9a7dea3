// Taking words out: select them with the mouse, or hold Shift and go on with an arrow. Without it,
// each word is ticked by itself, or the first and the last one are chosen.
"use strict";

(() => {
  const words = document.querySelector("[data-words]");
  if (!words) return;
  const boxes = [...words.querySelectorAll("input[type=checkbox]")];
  const told = document.createElement("p");
  told.className = "hint";
  told.setAttribute("role", "status");
  const hint = document.createElement("p");
  hint.className = "hint";
  hint.textContent =
    "With the mouse: select words, then press the button below. With the keyboard: arrows go from word to word; with Shift held, they tick.";
  const button = document.createElement("button");
  button.type = "button";
  button.className = "second";
  button.textContent = "Tick what I selected";
  words.querySelector("legend").after(hint);
  words.append(button, told);

  const tell = () => {
    const ticked = boxes.filter((box) => box.checked).length;
    told.textContent = ticked === 1 ? "1 word is ticked." : `${ticked} words are ticked.`;
  };

  button.addEventListener("click", () => {
    const selection = getSelection();
    if (!selection.isCollapsed) {
      for (const box of boxes) {
        if (selection.containsNode(box.parentElement, true)) box.checked = true;
      }
      selection.removeAllRanges();
    }
    tell();
  });

  // In a text that runs from right to left, the left arrow goes on.
  const step = (key) => {
    const right = getComputedStyle(boxes[0].closest("p")).direction === "ltr";
    if (key === "ArrowRight") return right ? 1 : -1;
    if (key === "ArrowLeft") return right ? -1 : 1;
    return 0;
  };
  words.addEventListener("keydown", (event) => {
    const at = boxes.indexOf(event.target);
    if (at < 0 || event.ctrlKey || event.altKey || event.metaKey) return;
    const next = boxes[at + step(event.key)];
    if (!next || next === event.target) return;
    event.preventDefault();
    if (event.shiftKey) event.target.checked = next.checked = true;
    next.focus();
    if (event.shiftKey) tell();
  });
})();
