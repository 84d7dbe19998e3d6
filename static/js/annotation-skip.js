// The dialog that skips a search: not while something is ticked, and "other" needs a note.
"use strict";
(() => {
  const dialog = () => document.getElementById("skip");
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button?.dataset.opens === "skip") {
      const ticked = document.querySelector(".card .tick:checked") !== null;
      dialog().querySelector("[data-ticked]").hidden = !ticked;
      dialog().querySelector("button.primary").disabled = ticked;
      document.getElementById("skip-problems").replaceChildren();
    }
    if (button?.matches("[data-closes]")) button.closest("dialog").close();
  });
  document.addEventListener("change", (event) => {
    if (event.target.name === "skip_reason") dialog().querySelector("textarea").required = event.target.value === "other";
  });
  document.addEventListener("keydown", (event) => {
    if (!dialog()?.open || event.ctrlKey || event.altKey || event.metaKey || event.target.closest("textarea")) return;
    const reason = dialog().querySelectorAll("[name=skip_reason]")[Number(event.key) - 1];
    if (!reason) return;
    reason.click();
    reason.focus();
    if (reason.value === "other") dialog().querySelector("textarea").focus();
    event.preventDefault();
  });
})();
