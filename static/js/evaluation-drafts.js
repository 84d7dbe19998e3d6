// Drafts: what is ticked and typed on a run's page outlives a reload, a lost network and an expired login, until it is
// submitted. One draft for each person and run.
"use strict";
(() => {
  const AGE = 7 * 24 * 3600 * 1000;
  const PREFIX = "evaluation:draft:";
  const form = document.getElementById("judging");
  const key = PREFIX + form.dataset.draft;
  const line = document.getElementById("restored");

  const read = (name) => {
    try {
      return JSON.parse(localStorage.getItem(name));
    } catch {
      return null; // written by another version
    }
  };
  const forget = () => {
    localStorage.removeItem(key);
    line.hidden = true;
  };
  const fieldsOf = (card) => [...card.querySelectorAll("input[type=radio]:checked, input[name^=other-]")].filter((it) => it.value);

  document.addEventListener("input", (event) => {
    const card = event.target.closest("#judging .prediction");
    if (!card) return;
    const cards = { ...read(key)?.cards, [card.id]: Object.fromEntries(fieldsOf(card).map((it) => [it.name, it.value])) };
    try {
      localStorage.setItem(key, JSON.stringify({ cards, at: Date.now() }));
    } catch {
      // No room, or storage is forbidden here: the page works on without drafts.
    }
  });

  const done = new Set(); // cards that come anew by polling are restored when they come, and no card twice
  const restore = () => {
    for (const [id, values] of Object.entries(read(key)?.cards ?? {})) {
      const card = document.getElementById(id);
      if (!card?.querySelector(".verdict") || done.has(id)) continue;
      done.add(id);
      let changed = false;
      for (const field of card.querySelectorAll("input[type=radio], input[name^=other-]")) {
        const value = values[field.name];
        if (field.type === "radio") {
          if (field.checked || field.value !== value) continue;
          field.checked = true;
        } else {
          if (field.value === (value ?? "")) continue;
          field.value = value ?? "";
        }
        changed = true;
      }
      if (!changed) continue;
      card.querySelector(".note")?.replaceChildren();
      line.querySelector("b").textContent = Number(line.querySelector("b").textContent) + 1;
      line.hidden = false;
    }
  };
  document.addEventListener("htmx:afterSettle", restore);
  document.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.elt === form && event.detail.successful) forget();
  });
  line.querySelector("button").addEventListener("click", () => {
    forget();
    form.reset(); // to what is saved
  });

  for (const name of Object.keys(localStorage))
    if (name.startsWith(PREFIX) && !(read(name)?.at > Date.now() - AGE)) localStorage.removeItem(name);
  restore();
})();
