// Goes from one change to the next, by buttons and by the keys n and p.
const bar = document.querySelector("[data-changes]");

if (bar) {
  const isChange = (row) => row.matches(".afn-row") && !row.matches(".afn-equal");
  const rows = [...document.querySelectorAll(".afn-diff > [role=row]")];
  const changes = rows.filter((row, at) => isChange(row) && !(at > 0 && isChange(rows[at - 1])));
  const shown = bar.querySelector("[data-at]");
  let at = -1;

  const tell = () => {
    shown.textContent = bar.dataset.of.replace("%(number)s", at < 0 ? "–" : at + 1).replace("%(total)s", changes.length);
  };

  const step = (by) => {
    if (!changes.length) return;
    changes[at]?.classList.remove("afn-here");
    at = at < 0 && by < 0 ? changes.length - 1 : (at + by + changes.length) % changes.length;
    const row = changes[at];
    row.classList.add("afn-here");
    row.tabIndex = -1;
    row.focus({ preventScroll: true });
    row.scrollIntoView({ block: "center" });
    tell();
  };

  for (const button of bar.querySelectorAll("[data-step]")) {
    button.addEventListener("click", () => step(Number(button.dataset.step)));
  }
  document.addEventListener("keydown", (event) => {
    if (event.target.closest("input, textarea, select, [contenteditable]")) return;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "n") step(1);
    if (event.key === "p") step(-1);
  });
  tell();
}
