// The start page of tests: a picture can be pasted, what is typed outlives a reload, and unfinished tests tell what is
// ticked in them and not submitted.
"use strict";
(() => {
  const form = () => document.querySelector("form.start");

  // A picture on the clipboard is an upload, and an address is an address, wherever one pastes it.
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

  // Another way in: its first field has the focus.
  document.addEventListener("change", (event) => {
    if (event.target.name !== "kind") return;
    const first = { search: "keyword", address: "address", upload: "picture" }[event.target.value];
    form().elements[first].focus({ preventScroll: true });
  });
})();
