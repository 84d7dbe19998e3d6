// The tour of the annotators' page: by itself on the first visit, later from the map of keys. Escape ends it.
"use strict";
(() => {
  const GAP = 12; // pixels between the tour and what it points at
  const tour = () => document.getElementById("tour");
  const steps = () => [...tour().querySelectorAll("[data-at]")];
  const button = (name) => tour().querySelector(`[data-tour="${name}"]`);
  const next = button("next").textContent;
  let at = 0;

  // Below what the step points at, or above it; in the middle of the window when that is not on the page yet.
  const place = () => {
    const dialog = tour();
    const target = document.querySelector(steps()[at].dataset.at);
    for (const one of document.querySelectorAll(".toured")) one.classList.remove("toured");
    Object.assign(dialog.style, { margin: target ? "0" : "auto", left: "", top: "" });
    if (!target) return;
    target.classList.add("toured");
    target.scrollIntoView({ block: "nearest" });
    const box = target.getBoundingClientRect();
    const { offsetWidth: width, offsetHeight: height } = dialog;
    const below = box.bottom + GAP;
    const top = below + height < innerHeight ? below : box.top - GAP - height;
    const within = (value, most) => `${Math.max(8, Math.min(value, most - 8))}px`;
    Object.assign(dialog.style, { left: within(box.left, innerWidth - width), top: within(top, innerHeight - height) });
  };
  const show = (step) => {
    at = step;
    const all = steps();
    for (const [number, one] of all.entries()) one.hidden = number !== at;
    tour().querySelector("[data-step]").textContent = at + 1;
    button("back").disabled = at === 0;
    button("next").textContent = at === all.length - 1 ? button("next").dataset.last : next;
    place();
    button("next").focus();
  };
  const start = () => {
    document.getElementById("keys").close();
    tour().showModal();
    show(0);
  };
  const go = (by) => {
    const step = at + by;
    if (step >= steps().length) return tour().close();
    if (step >= 0) show(step);
  };

  document.addEventListener("click", (event) => {
    const name = event.target.closest("[data-tour]")?.dataset.tour;
    if (name === "start") start();
    if (name === "skip") tour().close();
    if (name === "next") go(1);
    if (name === "back") go(-1);
  });
  document.addEventListener("keydown", (event) => {
    if (!tour().open || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === "ArrowRight") go(1);
    else if (event.key === "ArrowLeft") go(-1);
  });
  const onClose = (event) => {
    if (event.target !== tour()) return;
    for (const one of document.querySelectorAll(".toured")) one.classList.remove("toured");
    htmx.ajax("POST", tour().dataset.seen, { source: tour(), swap: "none" });
  };
  document.addEventListener("close", onClose, true); // it does not bubble
  addEventListener("resize", () => tour().open && place());
  if (tour().hasAttribute("data-starts")) start();
})();
