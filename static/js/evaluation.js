// What the run page does beyond plain HTML: marks that follow from a change, and a login that ran out while polling.
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

  // Signed out in the meantime: the answer is the login page. It must not replace what is ticked.
  document.addEventListener("htmx:beforeSwap", (event) => {
    const login = document.querySelector("[data-login]")?.dataset.login;
    const address = event.detail.xhr.responseURL;
    if (!login || !address || new URL(address).pathname !== login) return;
    event.detail.shouldSwap = false;
    const line = document.createElement("p");
    line.className = "message error";
    line.textContent = document.body.dataset.errorLogin;
    document.getElementById("messages").replaceChildren(line);
  });
})();
