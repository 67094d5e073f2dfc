// "/" puts the cursor into the search box, wherever one is not typing already.
const box = document.querySelector("[data-search-box]");

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea, select, [contenteditable]");
  if (box && event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    box.focus();
    box.select();
  }
});

// The page is hidden (x-cloak) until its scripts have started, and browsers give up on autofocus by then.
const first = document.querySelector("[autofocus]");

function focusFirst() {
  if (document.activeElement === document.body) first.focus();
}

if (first) {
  const page = document.documentElement;
  const shown = new MutationObserver(() => {
    if (page.hasAttribute("x-cloak")) return;
    shown.disconnect();
    focusFirst();
  });
  shown.observe(page, { attributes: true, attributeFilter: ["x-cloak"] });
  if (!page.hasAttribute("x-cloak")) focusFirst();
}

// Buttons that copy the text of another element, and say so in the words of their page.
for (const button of document.querySelectorAll("[data-copy]")) {
  button.addEventListener("click", async () => {
    const source = document.querySelector(button.dataset.copy);
    try {
      await navigator.clipboard.writeText(source.textContent);
      button.textContent = button.dataset.copied ?? "Copied";
    } catch {
      // Plain HTTP has no clipboard: select the text, so that a keystroke copies it.
      getSelection().selectAllChildren(source);
    }
  });
}

// A select that shows another page as soon as it is changed.
for (const form of document.querySelectorAll("form[data-submit-on-change]")) {
  form.addEventListener("change", () => form.requestSubmit());
}

// A box that ticks all others of its form, or none.
for (const label of document.querySelectorAll("[data-tick-all]")) {
  const all = label.querySelector("input");
  const boxes = [...all.form.elements].filter((one) => one.type === "checkbox" && one !== all);
  const look = () => {
    const ticked = boxes.filter((one) => one.checked).length;
    all.checked = ticked === boxes.length;
    all.indeterminate = ticked > 0 && ticked < boxes.length;
  };
  all.addEventListener("change", () => boxes.forEach((one) => (one.checked = all.checked)));
  boxes.forEach((one) => one.addEventListener("change", look));
  label.hidden = boxes.length < 2;
  look();
}

// Plots, also those that htmx brings later.
async function drawCharts(within) {
  if (!within.querySelector("canvas[data-chart]")) return;
  const { drawAll } = await import("./charts.js");
  drawAll(within);
}

drawCharts(document);
document.addEventListener("htmx:load", (event) => drawCharts(event.target));

// On a phone the tab of this page may be out of sight.
document.querySelector(".afn-tabs [aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
