// What the run page does beyond plain HTML: marks that follow from a change.
"use strict";
(() => {
  const cardOf = (element) => element.closest(".prediction");

  document.addEventListener("change", (event) => {
    const card = cardOf(event.target);
    if (!card) return;
    card.querySelector(".note")?.replaceChildren(); // what was saved or refused is no longer what is ticked
    if (event.target.value === "other" && event.target.checked) card.querySelector("[name^=other-]")?.focus();
  });

  // The first refused card comes into view.
  document.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.xhr?.status !== 422) return;
    const problem = document.querySelector(".note .problem");
    if (problem) cardOf(problem).scrollIntoView({ block: "center" });
  });
})();
