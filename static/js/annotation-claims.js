// Whose this product and keyword is: asked when the product changes, and every few minutes while the page is looked at.
// A page that is left or hidden renews nothing, so its claim runs out.
"use strict";
(() => {
  const EVERY = 4 * 60 * 1000;
  let held = ""; // the claim that the page has; the server frees it when the next question is about something else
  const ask = () => {
    const line = document.getElementById("claim");
    if (line && document.visibilityState === "visible") htmx.trigger(line, "claim");
  };
  document.addEventListener("change", (event) => event.target.id === "product" && ask());
  document.addEventListener("visibilitychange", ask);
  setInterval(ask, EVERY);

  document.addEventListener("htmx:configRequest", (event) => {
    if (event.detail.elt.id === "claim") event.detail.parameters.held = held;
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target.id === "claim") held = event.detail.target.querySelector("[data-claim]")?.dataset.claim ?? "";
  });
})();
