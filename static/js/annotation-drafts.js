// Drafts: ticks, marks and the product outlive a reload, a lost network and an expired login, until they are submitted.
// One draft for each person, source and keyword. It names listings, so it fits whichever pages are shown.
"use strict";
(() => {
  const AGE = 7 * 24 * 3600 * 1000;
  const PREFIX = "annotation:draft:";
  const form = () => document.getElementById("submission");
  const product = () => document.getElementById("product");
  const KINDS = { ticks: ".card .tick:enabled", refused: ".card .refused", unsure: ".card .unsure" };
  const boxes = (kind) => [...document.querySelectorAll(KINDS[kind])];

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
      if (Object.keys(KINDS).some((kind) => draft[kind].length)) localStorage.setItem(name, JSON.stringify({ ...draft, at: Date.now() }));
      else localStorage.removeItem(name);
    } catch {
      // No room, or storage is forbidden here: the page works on without drafts.
    }
  };

  const save = () => {
    const name = key();
    if (!name) return;
    const before = read(name);
    const draft = { product: product().value };
    for (const kind of Object.keys(KINDS)) {
      const ids = new Set(before?.[kind]); // of pages that are not shown again yet, too
      for (const box of boxes(kind)) box.checked ? ids.add(box.value) : ids.delete(box.value);
      draft[kind] = [...ids];
    }
    write(name, draft);
  };
  const restore = () => {
    const draft = key() && read(key());
    if (!draft) return;
    const back = Object.keys(KINDS).flatMap((kind) =>
      boxes(kind).filter((box) => !box.checked && draft[kind]?.includes(box.value)));
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
      if (type === "ticks" || event.target.matches(".card input, #product")) save();
    });
  document.addEventListener("htmx:afterSettle", restore);
  document.addEventListener("htmx:historyRestore", restore);
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { elt } = event.detail.requestConfig ?? {};
    const { status } = event.detail.xhr;
    const sends = elt?.id === "submission" || elt?.id === "skip-form";
    if (sends && status >= 200 && status < 300 && key(elt)) localStorage.removeItem(key(elt));
  });
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-discard]")) return;
    for (const kind of Object.keys(KINDS)) for (const box of boxes(kind)) box.checked = false;
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
  // A submission that was taken back comes with its ticks: they are the draft of its search from now on.
  const { address } = document.getElementById("workspace").dataset;
  if (address) {
    history.replaceState(null, "", address);
    save();
  }
  restore();
})();
