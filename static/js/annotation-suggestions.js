// What the model suggests after the cards are there is shown only when it is asked for, and ticks only what is not ticked.
// Ticks that it made for one product are taken back when another is chosen. Keywords that are suggested are searched.
"use strict";
(() => {
  const tell = () => document.dispatchEvent(new Event("ticks"));
  const tickOf = (mark) => mark.closest(".card")?.querySelector(".tick:enabled");
  const form = () => document.getElementById("submission");
  const product = () => document.getElementById("product")?.value.trim() ?? "";
  const waiting = () => [...(document.querySelector("#suggestion-status template")?.content.querySelectorAll(".suggested") ?? [])];

  // A suggestion whose card is there and does not carry it yet.
  const fresh = () =>
    waiting().filter((mark) => {
      const card = document.getElementById(`listing-${mark.dataset.listing}`);
      return card?.querySelector(".tick:enabled:not(:checked)") && !card.querySelector(".suggested");
    });
  const offer = () => {
    const button = document.querySelector("[data-suggest]");
    if (button) button.hidden = !fresh().length;
  };
  const show = () => {
    for (const mark of fresh()) {
      const card = document.getElementById(`listing-${mark.dataset.listing}`);
      card.querySelector(".tick").checked = true;
      card.querySelector(":scope > .text").append(mark.cloneNode(true));
    }
    tell();
    offer();
  };
  const withdraw = () => {
    for (const mark of document.querySelectorAll(".card .suggested")) {
      const box = tickOf(mark);
      if (box) box.checked = false;
      mark.remove();
    }
    tell();
  };

  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-suggest]")) show();
    const chip = event.target.closest("[data-keyword]");
    const search = document.getElementById("search");
    if (!chip || !search || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    document.getElementById("keyword").value = chip.dataset.keyword;
    search.requestSubmit();
  });
  document.addEventListener("change", (event) => {
    const status = document.getElementById("suggestion-status");
    if (event.target.id === "product" && form() && status && status.dataset.product !== product()) withdraw();
  });
  document.addEventListener("submit", (event) => {
    if (event.target.id === "suggestion-switch") {
      event.target.elements.product.value = product();
      withdraw(); // the draft keeps what the annotator ticked, not what the model did
    }
  });
  // More cards: the model is to look at these, too.
  const shown = () => document.querySelectorAll("#submission [name=shown]").length;
  let before = shown();
  document.addEventListener("htmx:afterSettle", () => {
    const status = document.getElementById("suggestion-status");
    if (status && before && shown() > before) htmx.trigger(status, "look");
    before = shown();
    offer();
  });
  offer();
})();
