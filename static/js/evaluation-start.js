// The start page of tests: a picture on the clipboard is an upload, wherever one pastes it.
"use strict";
(() => {
  const form = () => document.querySelector("form.start");

  document.addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])].filter((file) => file.type.startsWith("image/"));
    if (!form() || !files.length) return;
    const carrier = new DataTransfer();
    carrier.items.add(files[0]);
    document.getElementById("picture").files = carrier.files;
    form().querySelector("[name=kind][value=upload]").checked = true;
    form().elements.title.focus();
    event.preventDefault();
  });
})();
