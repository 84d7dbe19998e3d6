// Match, no match, unsure: a card says one of them or nothing. A tick that is set clears the card's marks, and a mark
// its tick; whoever sets them by script says so with a `ticks` event.
"use strict";
(() => {
  const MARKS = ".refused, .unsure";
  const tell = () => document.dispatchEvent(new Event("ticks"));

  document.addEventListener("change", (event) => {
    const mark = event.target;
    if (!mark.matches(".card .mark input")) return;
    if (mark.checked) {
      const card = mark.closest(".card");
      for (const other of card.querySelectorAll(`.tick, ${MARKS}`)) other.checked = other === mark;
    }
    tell();
  });

  const clear = () => {
    for (const mark of document.querySelectorAll(".card:has(.tick:checked) .mark input:checked")) mark.checked = false;
  };
  document.addEventListener("ticks", clear);
  document.addEventListener("change", (event) => event.target.matches(".card .tick") && clear());
})();
