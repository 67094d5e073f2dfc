// The search page by keys, and what is around the piece of it that htmx replaces.
const form = document.querySelector("#search-form");
const box = form.querySelector("[data-search-box]");
const modes = form.querySelector("fieldset");
const lost = document.querySelector("[data-search-lost]");
const said = document.querySelector("[data-search-said]");

const hits = () => [...document.querySelectorAll("[data-hit]")];
const isPlain = (event) => !event.ctrlKey && !event.metaKey && !event.altKey && !event.shiftKey;

// The box is an end of the list: up from the first result leads there.
function move(by) {
  const all = hits();
  const current = document.activeElement.closest(".afn-hit")?.querySelector("[data-hit]");
  const next = current ? all.indexOf(current) + by : 0;
  (next < 0 ? box : all[Math.min(next, all.length - 1)])?.focus();
}

function judge(event) {
  const button = event.target.closest(".afn-hit")?.querySelector(`[data-key="${event.key}"]:enabled`);
  button?.click();
  return Boolean(button);
}

// Letters act only within a result, so that they get in nobody's way.
function act(event) {
  if (event.target === box) {
    if (event.key !== "ArrowDown" || !hits().length) return false;
    move(1);
    return true;
  }
  const picker = event.target.closest(".afn-pick[open]");
  if (event.key === "Escape" && picker) {
    picker.open = false;
    picker.querySelector("summary").focus();
    return true;
  }
  if (!event.target.closest(".afn-hit")) {
    if (event.key !== "Escape" || !event.target.closest("#search-answer")) return false;
    box.focus();
    return true;
  }
  if (event.key === "ArrowDown" || event.key === "j") move(1);
  else if (event.key === "ArrowUp" || event.key === "k") move(-1);
  else if (event.key === "Escape") box.focus();
  else return judge(event);
  return true;
}

document.addEventListener("keydown", (event) => {
  // While an input method is at work its keys are its own; Safari says so by 229.
  if (event.isComposing || event.keyCode === 229 || event.defaultPrevented || !isPlain(event)) return;
  if (act(event)) event.preventDefault();
});

// A click beside a picker closes it, as choices do everywhere.
document.addEventListener("click", (event) => {
  for (const open of document.querySelectorAll(".afn-pick[open]")) {
    if (!open.contains(event.target)) open.open = false;
  }
});

// Typing in a picker leaves the values that have these letters.
document.addEventListener("input", (event) => {
  if (!event.target.matches("[data-narrows]")) return;
  const typed = event.target.value.toLowerCase();
  for (const one of event.target.closest(".afn-picker").querySelectorAll("li")) {
    one.hidden = !one.textContent.toLowerCase().includes(typed);
  }
});

document.addEventListener("toggle", ({ target }) => target.open && target.querySelector?.("input")?.focus(), true);

// A whole page in place of a piece: whoever was logged out logs in, and anything else is told as an error.
document.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr, pathInfo } = event.detail;
  lost.hidden = true;
  if (!/^\s*<!doctype/i.test(xhr.responseText)) return;
  event.detail.shouldSwap = false;
  if (new URL(xhr.responseURL).pathname.endsWith("/login/")) {
    const isSearch = event.detail.requestConfig.verb === "get";
    location.assign(isSearch ? pathInfo.finalRequestPath.replace(/([?&])pick=[^&]*/, "$1") : location.href);
  } else {
    lost.hidden = false;
  }
});
for (const name of ["htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(name, () => (lost.hidden = false));
}

// The form is not replaced, so that nobody loses what they type: what a link has changed of it is taken over.
document.addEventListener("htmx:afterSettle", (event) => {
  if (event.target.id !== "search-answer") return;
  const { query, mode, like, said: news } = event.target.dataset;
  if (event.detail.requestConfig?.elt !== form) box.value = query;
  for (const one of modes.elements) one.checked = one.value === mode;
  modes.disabled = Boolean(like);
  said.textContent = news;
});

// Pickers: what comes takes the place of the input that had the focus.
document.addEventListener("htmx:afterSettle", (event) => {
  if (event.target.matches?.(".afn-picker")) event.target.querySelector("input, a")?.focus();
});
