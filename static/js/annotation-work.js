// `t`: the next task, wherever a page offers it.
"use strict";
(() => {
  const TYPED = "input:not([type=checkbox], [type=radio], [type=button]), textarea, select, [contenteditable]";
  document.addEventListener("keydown", (event) => {
    if (event.key !== "t" || event.defaultPrevented || event.isComposing) return;
    if (event.ctrlKey || event.altKey || event.metaKey || event.target.closest(TYPED)) return;
    if (localStorage.getItem("annotation:keys-off") !== null || document.querySelector("dialog[open]")) return;
    const link = document.querySelector("[data-next-task]");
    if (!link) return;
    event.preventDefault();
    link.click();
  });
})();
