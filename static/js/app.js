// What every page shares: failures of htmx requests are told in the user's language, and nothing typed is lost.
"use strict";
(() => {
  const tell = (text, kind) => {
    const line = document.createElement("p");
    line.className = `message ${kind}`;
    line.textContent = text;
    document.getElementById("messages").replaceChildren(line);
  };
  const words = document.body.dataset;
  document.addEventListener("htmx:sendError", () => tell(words.errorNetwork, "error"));
  document.addEventListener("htmx:timeout", () => tell(words.errorNetwork, "error"));
  document.addEventListener("htmx:responseError", (event) => {
    const { status } = event.detail.xhr;
    tell(status === 401 || status === 403 ? words.errorLogin : words.errorServer, "error");
  });
  // Signing in again in another tab renews the CSRF token: the one of the cookie counts, not the one in this page.
  document.addEventListener("htmx:configRequest", (event) => {
    const token = /(?:^|; )csrftoken=([^;]+)/.exec(document.cookie)?.[1];
    if (!token) return;
    event.detail.headers["X-CSRFToken"] = token;
    if (event.detail.parameters.csrfmiddlewaretoken) event.detail.parameters.csrfmiddlewaretoken = token;
  });
  // "12 look alike": ticks all of them, or none when all are ticked.
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-tick-alike]");
    if (!button) return;
    const name = CSS.escape(button.dataset.tickAlike);
    const boxes = [...document.querySelectorAll(`.tick[data-alike="${name}"]:enabled`)];
    const tick = boxes.some((box) => !box.checked);
    for (const box of boxes) box.checked = tick;
    document.dispatchEvent(new Event("ticks"));
  });
  // 422 carries a form or a message to show; everything else that failed leaves the page as it is.
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.xhr.status === 422) {
      event.detail.shouldSwap = true;
      event.detail.isError = false;
    }
  });
})();
