// The pages of Redis, jobs, schedules and backups.

// Moments in the reader's own time zone; the page has them in the site's. They stay written
// as the page writes them: year, month, day, hour, minute.
const padded = (number) => String(number).padStart(2, "0");

function localise(within) {
  for (const time of within.querySelectorAll("time[data-local]")) {
    const at = new Date(time.dateTime);
    const parts = [at.getFullYear(), at.getMonth() + 1, at.getDate(), at.getHours(), at.getMinutes()].map(padded);
    if (time.textContent.match(/\d+/g)?.length === parts.length) time.textContent = time.textContent.replace(/\d+/g, () => parts.shift());
    delete time.dataset.local;
  }
}

localise(document);
document.addEventListener("htmx:load", (event) => localise(event.target));

// A form that takes its time: it is sent once, and says that it is at it.
for (const form of document.querySelectorAll("form[data-busy]")) {
  form.addEventListener("submit", () => {
    form.querySelector("[data-busy-text]").textContent = form.dataset.busy;
    for (const button of form.querySelectorAll("[type=submit]")) button.disabled = true;
  });
}

// Jobs of a page, which is read anew when the last of them has ended: unless somebody is typing there.
document.addEventListener("htmx:afterRequest", (event) => {
  if (!event.detail.target.matches?.("[data-reload-when-done]") || !event.detail.successful) return;
  const isOver = !event.detail.xhr.responseText.includes("data-reload-when-done");
  const isTyping = document.querySelector("form.afn-asking input:not([type=hidden]):focus");
  if (isOver && !isTyping) location.reload();
});
