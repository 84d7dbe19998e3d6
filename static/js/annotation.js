// The keyboard on the annotators' page: a current card, ticks in bulk and in ranges, the large picture, the map of keys.
// Events are delegated, so they survive swaps and paging. Whoever ticks by script says so with a `ticks` event.
"use strict";
(() => {
  const OFF = "annotation:keys-off";
  const TYPED = "input:not([type=checkbox], [type=radio], [type=button]), textarea, select, [contenteditable]";
  const $ = (selector) => document.querySelector(selector);
  const boxes = () => [...document.querySelectorAll(".card .tick:enabled")];
  const tell = () => document.dispatchEvent(new Event("ticks"));

  // The current card is the one whose tick has, or had last, the focus. Its id outlives swaps; the element does not.
  let currentId = "";
  const current = () => document.getElementById(currentId)?.querySelector(".tick:enabled") ?? null;
  document.addEventListener("focusin", (event) => {
    const card = event.target.closest(".card:has(.tick:enabled)");
    if (card) currentId = card.id;
  });

  const focusOn = (box) => {
    const card = box.closest(".card");
    currentId = card.id;
    if (!$("dialog[open]")) box.focus({ preventScroll: true });
    card.scrollIntoView({ block: "nearest" }); // unlike focus(), it keeps clear of the floating bar
  };

  // Another search is another walk. Whoever waits at the keyword that was searched can go on with the arrows at once.
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.target.id === "results") currentId = "";
  });
  document.addEventListener("htmx:afterSettle", (event) => {
    const keyword = $("#keyword");
    const searched = $("#submission [name=keyword]");
    if (event.detail.target.id !== "results" || !searched || !boxes().length) return;
    if (document.activeElement === keyword && keyword.value === searched.value) focusOn(boxes()[0]);
  });

  // The tick that lies in a direction: along the order of the page, or in the nearest row above or below.
  const neighbour = (from, direction) => {
    const all = boxes();
    const place = all.indexOf(from);
    if (direction === "left") return all[place - 1];
    if (direction === "right") return all[place + 1];
    const middle = (box) => {
      const { left, top, width } = box.closest(".card").getBoundingClientRect();
      return { x: left + width / 2, y: top };
    };
    const here = middle(from);
    const sign = direction === "down" ? 1 : -1;
    let best;
    for (const box of all) {
      const { x, y } = middle(box);
      const rows = (y - here.y) * sign;
      if (rows < 2) continue; // of this row, or behind
      const aside = Math.abs(x - here.x);
      if (!best || rows < best.rows - 2 || (rows < best.rows + 2 && aside < best.aside)) best = { box, rows, aside };
    }
    return best?.box;
  };

  // A range that shift+arrow draws: from its anchor to the current card all is ticked, the rest stands as before it.
  let range = null;
  const between = (one, other) => {
    const all = boxes();
    const [first, last] = [all.indexOf(one), all.indexOf(other)].sort((a, b) => a - b);
    return first < 0 ? [] : all.slice(first, last + 1);
  };
  const extend = (to) => {
    for (const [box, checked] of range.before) box.checked = checked;
    for (const box of between(range.anchor, to)) box.checked = true;
    tell();
  };
  const move = (direction, withRange) => {
    const from = current();
    if (!from) return boxes()[0] && focusOn(boxes()[0]);
    if (!withRange || !range?.anchor.isConnected) range = null;
    if (withRange) range ??= { anchor: from, before: boxes().map((box) => [box, box.checked]) };
    const to = neighbour(from, direction);
    if (to) focusOn(to);
    if (range) extend(to ?? from);
    show();
  };

  // Shift+click gives everything since the last click what the clicked one got.
  let shift = false;
  let lastClicked = null;
  document.addEventListener("pointerdown", (event) => (shift = event.shiftKey), true);
  document.addEventListener("mousedown", (event) => {
    if (event.shiftKey && event.target.closest(".card label")) event.preventDefault(); // it would select the text
  });
  document.addEventListener("change", (event) => {
    if (!event.isTrusted || !event.target.matches(".card .tick")) return;
    const box = event.target;
    range = null;
    if (shift && lastClicked?.isConnected) {
      for (const other of between(lastClicked, box)) other.checked = box.checked;
      tell();
    }
    shift = false;
    lastClicked = box;
    currentId = box.closest(".card").id;
  });

  const bulk = {
    all: () => true,
    none: () => false,
    invert: (box) => !box.checked,
  };
  const tickBy = (name) => {
    range = null;
    for (const box of boxes()) box.checked = bulk[name](box);
    if (name === "none") for (const box of document.querySelectorAll(".card .mark input")) box.checked = false;
    tell();
  };

  const mark = (name) => {
    range = null;
    current()?.closest(".card").querySelector(`.${name}`)?.click();
  };

  // The large picture. Its own checkbox stands for that of the current card.
  let previewed = "";
  const show = () => {
    const dialog = $("#preview[open]");
    const box = current();
    if (!dialog || !box) return;
    previewed = currentId;
    const card = box.closest(".card");
    const title = card.querySelector(".title").textContent;
    const picture = dialog.querySelector("img");
    [picture.src, picture.alt] = [card.querySelector("img.picture").getAttribute("src"), title];
    dialog.querySelector("h2").textContent = title;
    $("#preview-tick").checked = box.checked;
    dialog.querySelector("output").textContent = card.querySelector(".mark:has(:checked)")?.textContent.trim() ?? "";
  };
  const preview = () => {
    if (!current() && boxes()[0]) focusOn(boxes()[0]);
    if (!current()) return;
    $("#preview").showModal();
    show();
  };
  document.addEventListener("change", (event) => {
    if (event.target.id !== "preview-tick" || !current()) return;
    current().checked = event.target.checked;
    tell();
  });
  document.addEventListener("ticks", () => show());
  const onClose = (event) => {
    if (event.target.id !== "preview") return;
    currentId = previewed; // the browser has just given the focus back to the card where the dialog was opened
    if (current()) focusOn(current());
  };
  document.addEventListener("close", onClose, true); // it does not bubble

  const submit = () => {
    const form = $("#submission");
    if (form && !form.querySelector("button.primary").disabled) form.requestSubmit();
  };
  const press = (name) => [...document.querySelectorAll(`[data-key="${name}"]`)].find((it) => it.checkVisibility())?.click();

  const moves = {
    ArrowLeft: "left", h: "left", ArrowRight: "right", l: "right",
    ArrowUp: "up", k: "up", ArrowDown: "down", j: "down",
  };
  const actions = {
    a: () => tickBy("all"),
    n: () => tickBy("none"),
    i: () => tickBy("invert"),
    x: () => mark("refused"),
    q: () => mark("unsure"),
    m: () => press("m"),
    f: () => press("f"),
    b: () => press("b"),
    u: () => press("u"),
    s: submit,
    v: preview,
    "/": () => $("#keyword").select(),
    p: () => $("#product").select(),
    "?": () => $("#keys").showModal(),
  };

  const keysOff = () => localStorage.getItem(OFF) !== null;
  const onKey = (event) => {
    const { key, target } = event;
    if (event.defaultPrevented || event.isComposing) return false;
    const dialog = $("dialog[open]");
    if (event.ctrlKey && !event.altKey && !event.metaKey && key === "Enter" && !dialog) return submit();
    if (key === "Escape" && target.matches("#keyword, #product:not([aria-expanded=true])")) {
      const box = current() ?? boxes()[0]; // an open list closes first
      return box ? focusOn(box) : false;
    }
    if (event.ctrlKey || event.altKey || event.metaKey || target.closest(TYPED)) return false;
    const single = key.length === 1 && key !== " "; // what speech input types by accident, so it can be switched off
    if (single && keysOff()) return false;
    const direction = moves[key] ?? moves[key.toLowerCase()];
    if (dialog) {
      if (dialog.id !== "preview") return false;
      if (direction) return move(direction, event.shiftKey);
      if (key === "x" || key === "q") return actions[key]();
      return key === "v" ? dialog.close() : false;
    }
    if (direction) {
      if (!boxes().length) return false;
      return move(direction, event.shiftKey);
    }
    if (key === " ") {
      // A tick, link or button that has the focus does by itself what space does.
      if (target !== document.body || !current()) return false;
      return current().click();
    }
    if (key.length > 1 || !Object.hasOwn(actions, key)) return false;
    return actions[key]();
  };
  document.addEventListener("keydown", (event) => {
    if (event.key === " ") shift = false;
    if (onKey(event) !== false) event.preventDefault();
  });

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.dataset.ticks) tickBy(button.dataset.ticks);
    if (button.dataset.opens) document.getElementById(button.dataset.opens).showModal();
    if (button.matches(".zoom")) {
      currentId = button.closest(".card").id;
      preview();
    }
    if (button.dataset.product) {
      $("#product").value = button.dataset.product;
      $("#product").dispatchEvent(new Event("change", { bubbles: true }));
    }
  });

  const toggle = $("#keys-on");
  toggle.checked = !keysOff();
  toggle.addEventListener("change", () => (toggle.checked ? localStorage.removeItem(OFF) : localStorage.setItem(OFF, "1")));
})();
