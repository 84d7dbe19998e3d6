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
    if (!product().value) product().value = draft.product;
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
