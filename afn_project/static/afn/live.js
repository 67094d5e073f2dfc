// Parts of a page that ask for themselves again (htmx, `hx-trigger="refresh, every …"`): at once when something
// happens that they show, as the server's events tell. Without events there is the clock.
const SOON_MS = 700;

for (const part of document.querySelectorAll("[data-live]")) {
  const stale = document.querySelector(`[data-live-stale="${part.id}"]`);
  const failed = () => stale && (stale.hidden = false);
  part.addEventListener("htmx:sendError", failed);
  part.addEventListener("htmx:timeout", failed);
  part.addEventListener("htmx:responseError", failed);
  part.addEventListener("htmx:afterSwap", () => stale && (stale.hidden = true));

  let due = 0;
  const refresh = () => {
    due ||= setTimeout(() => {
      due = 0;
      window.htmx.trigger(part, "refresh");
    }, SOON_MS);
  };
  refresh(); // what the page came with may be older than what is known now
  if (!part.dataset.events) continue;
  let source = null;
  const listen = () => {
    source = new EventSource(part.dataset.events);
    source.onmessage = refresh;
    source.addEventListener("reset", refresh);
    source.addEventListener("over", () => source.close());
  };
  // A tab that nobody sees holds no connection.
  const look = () => {
    if (document.hidden) {
      source?.close();
      source = null;
    } else if (!source) {
      listen();
      refresh();
    }
  };
  document.addEventListener("visibilitychange", look);
  window.addEventListener("pagehide", () => source?.close());
  look();
}
