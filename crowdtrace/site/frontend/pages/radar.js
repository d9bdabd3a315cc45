/** The radar's slider: the week is shown while it moves, and its forecast once it is released. */
const form = document.querySelector("[data-radar]");
const slider = document.querySelector("#week");
const shown = document.querySelector("[data-weeks]");

if (form instanceof HTMLFormElement && slider instanceof HTMLInputElement && shown instanceof HTMLOutputElement) {
  const weeks = (shown.dataset.weeks ?? "").split("|");
  const before = slider.value;
  slider.addEventListener("input", () => {
    const week = weeks[Number(slider.value)] ?? "";
    shown.value = week;
    slider.setAttribute("aria-valuetext", week);
  });
  // Arrow keys move it step by step, so they only show the week; Enter or the button loads its forecast.
  const choose = () => {
    if (slider.value !== before) form.requestSubmit();
  };
  slider.addEventListener("pointerup", choose);
  slider.addEventListener("keydown", (event) => {
    if (event.key === "Enter") choose();
  });
}
