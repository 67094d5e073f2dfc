// What takes long says so: the button that was pressed turns, and none of its form can be pressed again.
for (const form of document.querySelectorAll("form[data-busy]")) {
  form.addEventListener("submit", (event) => {
    const pressed = event.submitter;
    // Afterwards: what is disabled is not sent along.
    setTimeout(() => {
      for (const button of form.querySelectorAll("button")) button.disabled = true;
      if (!pressed) return;
      pressed.dataset.isBusy = pressed.textContent;
      pressed.textContent = form.dataset.busy;
    });
  });
}

// Back from another page, the browser shows this one as it was left.
addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  for (const button of document.querySelectorAll("form[data-busy] button")) {
    button.disabled = false;
    if (button.dataset.isBusy === undefined) continue;
    button.textContent = button.dataset.isBusy;
    delete button.dataset.isBusy;
  }
});
