// Drag over cards with the mouse: all of them get what the first one gets. A click stays a click.
"use strict";
(() => {
  const THRESHOLD = 6; // pixels: less is a hand that shook while clicking
  const STEP = 20; // pixels: a fast mouse reports points that lie cards apart
  let drag = null;

  const boxAt = (x, y) => document.elementFromPoint(x, y)?.closest(".card")?.querySelector(".tick:enabled");
  const tick = (box) => {
    if (!box || box.checked === drag.checked) return;
    box.checked = drag.checked;
    document.dispatchEvent(new Event("ticks"));
  };

  document.addEventListener("pointerdown", (event) => {
    drag = null;
    if (event.pointerType !== "mouse" || event.button || event.shiftKey || event.ctrlKey || event.metaKey) return;
    const box = event.target.closest(".card label")?.querySelector(".tick:enabled");
    if (box) drag = { box, checked: !box.checked, x: event.clientX, y: event.clientY, started: false };
  });

  document.addEventListener("pointermove", (event) => {
    if (!drag) return;
    const { clientX: x, clientY: y } = event;
    const distance = Math.hypot(x - drag.x, y - drag.y);
    if (!drag.started) {
      if (distance < THRESHOLD) return;
      drag.started = true;
      document.body.classList.add("dragging");
      getSelection().removeAllRanges();
      tick(drag.box);
    }
    const steps = Math.max(1, Math.ceil(distance / STEP));
    for (let step = 1; step <= steps; step += 1)
      tick(boxAt(drag.x + ((x - drag.x) * step) / steps, drag.y + ((y - drag.y) * step) / steps));
    [drag.x, drag.y] = [x, y];
  });

  const end = () => {
    const { started } = drag ?? {};
    drag = null;
    if (!started) return;
    document.body.classList.remove("dragging");
    // The button that is let go over the card where the drag began is a click too, and would turn its tick back.
    const swallow = (event) => {
      event.preventDefault();
      event.stopPropagation();
    };
    document.addEventListener("click", swallow, { capture: true, once: true });
    setTimeout(() => document.removeEventListener("click", swallow, { capture: true }));
  };
  document.addEventListener("pointerup", end);
  document.addEventListener("pointercancel", end);

  // Otherwise the browser would drag the picture itself.
  document.addEventListener("dragstart", (event) => {
    if (event.target.closest?.(".card label")) event.preventDefault();
  });
})();
