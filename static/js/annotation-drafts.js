// Drafts: ticks and the product outlive a reload, a lost network and an expired login, until they are submitted.
// One draft for each person, source and keyword. It names listings, so it fits whichever pages are shown.
"use strict";
(() => {
  const AGE = 7 * 24 * 3600 * 1000;
  const PREFIX = "annotation:draft:";
  const form = () => document.getElementById("submission");
  const product = () => document.getElementById("product");
  const boxes = () => [...document.querySelectorAll(".card .tick:enabled")];

  const key = (of = form()) => {
    const user = document.getElementById("workspace")?.dataset.user;
    return of && user ? PREFIX + JSON.stringify([user, of.elements.source.value, of.elements.keyword.value]) : null;
  };
  const read = (name) => {
    try {
      return JSON.parse(localStorage.getItem(name));
    } catch {
      return null; // written by another version
    }
  };
  const write = (name, draft) => {
    try {
      if (draft.ticks.length) localStorage.setItem(name, JSON.stringify({ ...draft, at: Date.now() }));
      else localStorage.removeItem(name);
    } catch {
      // No room, or storage is forbidden here: the page works on without drafts.
    }
  };

  const save = () => {
    const name = key();
    if (!name) return;
    const ticks = new Set(read(name)?.ticks); // of pages that are not shown again yet, too
    for (const box of boxes()) box.checked ? ticks.add(box.value) : ticks.delete(box.value);
    write(name, { ticks: [...ticks], product: product().value });
  };
  const restore = () => {
    const draft = key() && read(key());
    if (!draft) return;
    const back = boxes().filter((box) => !box.checked && draft.ticks.includes(box.value));
    if (!back.length) return;
    for (const box of back) box.checked = true;
    if (!product().value && draft.product) {
      product().value = draft.product;
      product().dispatchEvent(new Event("change", { bubbles: true })); // what counts for it follows
    }
    const line = document.getElementById("restored");
    line.querySelector("b").textContent = Number(line.querySelector("b").textContent) + back.length;
    line.hidden = false;
  };

  for (const type of ["change", "ticks"])
    document.addEventListener(type, (event) => {
      if (type === "ticks" || event.target.matches(".card .tick, #product")) save();
    });
  document.addEventListener("htmx:afterSettle", restore);
  document.addEventListener("htmx:historyRestore", restore);
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { elt } = event.detail.requestConfig ?? {};
    const { status } = event.detail.xhr;
    if (elt?.id === "submission" && status >= 200 && status < 300 && key(elt)) localStorage.removeItem(key(elt));
  });
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-discard]")) return;
    for (const box of boxes()) box.checked = false;
    localStorage.removeItem(key());
    document.getElementById("restored").hidden = true;
  });

  // A keyword that was typed and not searched yet outlives a reload of its page, in this tab alone.
  const keyword = () => document.getElementById("keyword");
  const typed = () => `annotation:keyword:${document.getElementById("workspace")?.dataset.user}`;
  const searched = () => new URLSearchParams(location.search).get("keyword") ?? "";
  const restoreKeyword = () => {
    const { after, value } = JSON.parse(sessionStorage.getItem(typed())) ?? {};
    if (value && after === searched()) keyword().value = value;
  };
  const forgetKeyword = () => sessionStorage.removeItem(typed());
  document.addEventListener("input", (event) => {
    if (event.target.id !== "keyword") return;
    const { value } = event.target;
    if (value === searched()) forgetKeyword();
    else sessionStorage.setItem(typed(), JSON.stringify({ after: searched(), value }));
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    const { elt, successful } = event.detail;
    if (successful && ["search", "submission"].includes(elt.id)) forgetKeyword();
  });
  restoreKeyword();

  for (const name of Object.keys(localStorage))
    if (name.startsWith(PREFIX) && !(read(name)?.at > Date.now() - AGE)) localStorage.removeItem(name);
  restore();
})();
