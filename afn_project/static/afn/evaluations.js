// A slider says its value as it is moved.
const number = new Intl.NumberFormat(document.documentElement.lang || "en", {
  minimumFractionDigits: 2,
  maximumFractionDigits: 2,
});

for (const slider of document.querySelectorAll("[data-shows]")) {
  const shown = document.getElementById(slider.dataset.shows);
  slider.addEventListener("input", () => (shown.textContent = number.format(slider.value)));
}
