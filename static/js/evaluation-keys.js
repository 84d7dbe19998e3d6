// The keyboard on a run's page: from answer to answer, a verdict each, the search for the right product, the map of keys.
"use strict";
(() => {
  const OFF = "evaluation:keys-off";
  const form = document.getElementById("judging");
  const map = document.getElementById("keys");
  const answers = () => [...form.querySelectorAll(".prediction:has(.verdict)")];
  const current = () => document.activeElement?.closest?.(".prediction");
  const verdict = (card) => card.querySelector(".verdict input:checked");

  const focusOn = (card) => {
    if (!card) return;
    card.tabIndex = -1;
    card.focus({ preventScroll: true });
    card.scrollIntoView({ block: "nearest" });
  };
  const move = (by) => {
    const all = answers();
    const at = all.indexOf(current());
    focusOn(at < 0 ? all[0] : all[Math.min(all.length - 1, Math.max(0, at + by))]);
  };
  const judge = (value) => {
    const card = current() ?? answers().find((it) => !verdict(it));
    if (!card?.querySelector(".verdict")) return;
    card.querySelector(`.verdict [value=${value}]`).click();
    focusOn(card);
    if (value !== "wrong") return move(1);
    if (!card.querySelector(".correction input[type=radio]:checked")) card.querySelector(".correction [value=other]").click();
    card.querySelector("[name^=other-]").focus(); // what is typed there is the right product
  };
  const actions = {
    j: () => move(1),
    k: () => move(-1),
    ArrowDown: () => move(1),
    ArrowRight: () => move(1),
    ArrowUp: () => move(-1),
    ArrowLeft: () => move(-1),
    r: () => judge("right"),
    1: () => judge("right"),
    w: () => judge("wrong"),
    2: () => judge("wrong"),
    u: () => judge("unsure"),
    3: () => judge("unsure"),
    n: () => focusOn(answers().find((card) => !verdict(card))),
    s: () => form.requestSubmit(),
    "?": () => map.showModal(),
  };

  document.addEventListener("keydown", (event) => {
    const { key, target } = event;
    if (map.open || event.altKey || event.metaKey) return;
    if (event.ctrlKey) {
      if (key !== "Enter") return;
      event.preventDefault();
      form.requestSubmit();
      return;
    }
    if (key === "Escape" && target.matches("[name^=other-]:not([aria-expanded=true])")) return focusOn(current());
    if (target.matches("input:not([type=radio], [type=checkbox]), select, textarea")) return;
    const arrow = key.startsWith("Arrow");
    if (arrow && target !== document.body && !target.matches(".prediction")) return; // radios and links have their own
    if (key.length === 1 && localStorage.getItem(OFF) !== null) return;
    if (!Object.hasOwn(actions, key)) return;
    event.preventDefault();
    actions[key]();
  });
  document.querySelector("[data-keys]").addEventListener("click", () => map.showModal());
  const toggle = document.getElementById("keys-on");
  toggle.checked = localStorage.getItem(OFF) === null;
  toggle.addEventListener("change", () => (toggle.checked ? localStorage.removeItem(OFF) : localStorage.setItem(OFF, "1")));
})();
