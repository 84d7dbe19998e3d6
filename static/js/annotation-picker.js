// The product picker: a text field with a list of what is found (the editable combobox of WAI-ARIA 1.2).
// The server finds and renders; every field marked `data-picker` shares the one list of its page.
// Without this script it stays a text field in which a product's exact name counts.
"use strict";
(() => {
  const PAUSE = 150; // milliseconds without a key before it is searched
  const CLOSED = "annotation:guidelines-closed";
  const WIDE = matchMedia("(min-width: 64rem)");
  const list = () => document.getElementById("product-options");
  const count = () => document.getElementById("product-count");
  const options = () => [...list().querySelectorAll("[role=option]")];
  const isOpen = () => list().matches(":popover-open");
  let field = null; // the one that was typed in last
  let timer = 0;

  const upgrade = (root) => {
    for (const input of root.querySelectorAll("input[data-picker]")) {
      input.setAttribute("role", "combobox");
      input.setAttribute("aria-autocomplete", "list");
      input.setAttribute("aria-controls", "product-options");
      input.setAttribute("aria-expanded", "false");
    }
  };

  const place = () => {
    const { left, bottom, width } = field.getBoundingClientRect();
    const wide = Math.min(Math.max(width, 260), innerWidth - 16);
    Object.assign(list().style, {
      left: `${Math.max(8, Math.min(left, innerWidth - wide - 8))}px`,
      top: `${bottom + 4}px`,
      width: `${wide}px`,
      maxHeight: `${Math.max(120, innerHeight - bottom - 16)}px`,
    });
  };
  const mark = (option) => {
    for (const one of options()) one.setAttribute("aria-selected", String(one === option));
    if (option) field.setAttribute("aria-activedescendant", option.id);
    else field.removeAttribute("aria-activedescendant");
    option?.scrollIntoView({ block: "nearest" });
  };
  const close = () => {
    clearTimeout(timer);
    if (!field) return;
    htmx.trigger(field, "htmx:abort");
    if (list()?.matches(":popover-open")) list().hidePopover();
    count()?.replaceChildren();
    count()?.classList.add("visually-hidden");
    field.setAttribute("aria-expanded", "false");
    field.removeAttribute("aria-activedescendant");
  };
  const open = () => {
    const found = options();
    count().classList.toggle("visually-hidden", found.length > 0); // "nothing found" is for everybody to read
    field.setAttribute("aria-expanded", String(found.length > 0));
    if (!found.length) {
      field.removeAttribute("aria-activedescendant");
      if (isOpen()) list().hidePopover();
      return;
    }
    if (!isOpen()) list().showPopover();
    place();
    list().scrollTop = 0;
    mark(found[0]); // so that Enter takes the best
  };
  const look = (input, pause) => {
    field = input;
    clearTimeout(timer);
    timer = setTimeout(() => htmx.trigger(input, "picker"), pause);
  };
  const choose = (option) => {
    field.value = option.dataset.value;
    close();
    field.dispatchEvent(new Event("change", { bubbles: true }));
  };

  const onInput = (event) => {
    const input = event.target.closest?.("input[data-picker]");
    if (!input || event.isComposing) return; // half a syllable of an input method is nothing to search for
    if (input.value.trim()) return look(input, PAUSE);
    field ??= input;
    close();
  };
  document.addEventListener("input", onInput);
  document.addEventListener("compositionend", onInput);

  document.addEventListener("keydown", (event) => {
    const input = event.target.closest?.("input[data-picker]");
    if (!input || event.isComposing || event.ctrlKey || event.metaKey) return;
    const { key } = event;
    const shown = field === input && isOpen();
    if (key === "ArrowDown" || key === "ArrowUp") {
      event.preventDefault();
      if (!shown) return look(input, 0);
      const all = options();
      const at = all.findIndex((one) => one.getAttribute("aria-selected") === "true");
      mark(all[(at + (key === "ArrowDown" ? 1 : all.length - 1)) % all.length]);
    } else if (shown && key === "Enter" && !event.shiftKey && !event.altKey) {
      event.preventDefault();
      choose(options().find((one) => one.getAttribute("aria-selected") === "true") ?? options()[0]);
    } else if (shown && key === "Escape") {
      event.preventDefault();
      close();
    }
  });

  document.addEventListener("mousedown", (event) => {
    if (event.target.closest("#product-options")) event.preventDefault(); // the field keeps the focus
  });
  document.addEventListener("click", (event) => {
    const option = event.target.closest("#product-options [role=option]");
    if (option) choose(option);
  });
  document.addEventListener("focusout", (event) => event.target === field && close());
  document.addEventListener("submit", () => close());
  for (const type of ["scroll", "resize"])
    addEventListener(type, (event) => field && list() && isOpen() && event.target !== list() && place(), { capture: true, passive: true });

  document.addEventListener("htmx:configRequest", (event) => {
    if (event.target.matches?.("input[data-picker]")) event.detail.parameters = { product: event.target.value };
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target.id !== "product-options") return;
    if (document.activeElement === field) open();
    else close();
  });

  // What counts for the product: beside the grid where there is room, closed above it where there is none.
  document.addEventListener("click", (event) => {
    const guidelines = event.target.closest("[data-guidelines] > summary")?.parentElement;
    if (!guidelines || !WIDE.matches) return;
    guidelines.open ? localStorage.setItem(CLOSED, "1") : localStorage.removeItem(CLOSED);
  });
  const unfold = (root) => {
    const guidelines = root.querySelector("[data-guidelines]");
    if (guidelines) guidelines.open = WIDE.matches && localStorage.getItem(CLOSED) === null;
  };

  document.addEventListener("htmx:load", (event) => {
    const root = event.target.parentElement ?? event.target;
    upgrade(root);
    if (event.target.matches?.("[data-guidelines]") || event.target === document.body) unfold(root);
  });
  upgrade(document);
  unfold(document);
})();
