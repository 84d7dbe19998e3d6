// Keys of the review page. Each presses a button or opens a form that is there without a script.
"use strict";
(() => {
  let sent = false; // a second key while the next label loads would judge what nobody has seen
  const reject = () => document.getElementById("reject");
  const press = (key) => {
    const target = document.querySelector(`[data-key="${key}"]`);
    if (!target) return;
    sent = true;
    target.click();
  };
  const open = (details, wanted) => {
    details.open = wanted;
    if (wanted) details.querySelector("input[type=radio]:checked, input[type=radio], summary").focus();
    else details.querySelector("summary").focus();
  };
  addEventListener("pageshow", () => { sent = false; });
  document.addEventListener("submit", () => { sent = true; });
  document.addEventListener("keydown", (event) => {
    const { key, target } = event;
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.isComposing) return;
    if (sent) { event.preventDefault(); return; }
    const panel = reject();
    if (panel?.open && key === "Escape") return open(panel, false);
    if (target.matches("select, textarea, input:not([type=radio])")) return;
    if (panel?.open) {
      const radios = panel.querySelectorAll("input[type=radio]");
      const chosen = /^[1-6]$/.test(key) ? radios[Number(key) - 1] : null;
      if (chosen) { chosen.checked = true; chosen.focus(); event.preventDefault(); }
      else if (key === "r") open(panel, false);
      return;
    }
    if (key === "r" && panel) { event.preventDefault(); open(panel, true); }
    else if (key === "a" || key === "ArrowRight") { event.preventDefault(); press("a"); }
    else if (["s", "n", "u", "y"].includes(key)) press(key);
    else if (key === "?") { const map = document.getElementById("keys"); if (map) map.open = !map.open; }
  });
})();
