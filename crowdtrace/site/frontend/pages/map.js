/**
 * The interactive map: pointer and keyboard reach each area with a value and show it, and the map zooms around its
 * centre or the chosen area. Without this file, the map is a picture with the same tables below.
 */

const STEP = 1.6;
const MOST = 12;
const MOVE = 0.15;

const box = document.querySelector("[data-map]");
const svg = box?.querySelector("svg.us-map");

/** @param {SVGSVGElement} map @param {HTMLElement} around */
function enhance(map, around) {
  const { width, height } = map.viewBox.baseVal;
  let view = { x: 0, y: 0, width, height };

  const said = document.createElement("output");
  said.className = "said";
  const buttons = document.createElement("div");
  buttons.className = "zoom no-print";
  around.before(buttons);
  map.after(said);

  /** @param {number} x @param {number} y @param {number} scale how much larger than the whole map */
  function show(x, y, scale) {
    const part = { width: width / scale, height: height / scale };
    view = {
      x: Math.min(Math.max(0, x - part.width / 2), width - part.width),
      y: Math.min(Math.max(0, y - part.height / 2), height - part.height),
      ...part,
    };
    map.setAttribute("viewBox", `${view.x} ${view.y} ${view.width} ${view.height}`);
    map.style.setProperty("--zoom", String(scale));
  }

  /** @param {number} factor */
  function zoom(factor) {
    const scale = Math.min(MOST, Math.max(1, (width / view.width) * factor));
    const chosen = map.contains(document.activeElement) ? document.activeElement : null;
    const middle = chosen instanceof SVGGraphicsElement && chosen !== map ? chosen.getBBox() : view;
    show(middle.x + middle.width / 2, middle.y + middle.height / 2, scale);
  }

  /** @param {string} sign @param {string} words @param {() => void} act */
  function button(sign, words, act) {
    const made = document.createElement("button");
    made.type = "button";
    made.className = "secondary outline";
    made.textContent = sign;
    made.setAttribute("aria-label", words);
    made.title = words;
    made.addEventListener("click", act);
    buttons.append(made);
  }
  button("+", around.dataset.zoomIn ?? "", () => zoom(STEP));
  button("−", around.dataset.zoomOut ?? "", () => zoom(1 / STEP));
  button("⌂", around.dataset.whole ?? "", () => show(width / 2, height / 2, 1));

  // The map is one tab stop; arrow keys move between the areas.
  const places = [...map.querySelectorAll("path:not(.is-level-0), circle")].filter((each) => each.querySelector("title"));
  map.setAttribute("role", "group");
  for (const [at, place] of places.entries()) {
    place.setAttribute("role", "img");
    place.setAttribute("aria-label", place.querySelector("title")?.textContent ?? "");
    place.setAttribute("tabindex", at ? "-1" : "0");
  }
  /** @param {Event} event */
  const tell = (event) => {
    const place = event.target instanceof Element ? event.target.closest("path, circle") : null;
    const words = place?.querySelector("title")?.textContent;
    if (words) said.value = words;
  };
  map.addEventListener("pointerover", tell);
  map.addEventListener("focusin", tell);
  map.addEventListener("keydown", (event) => {
    const at = places.indexOf(/** @type {Element} */ (document.activeElement));
    const steps = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };
    const step = steps[/** @type {keyof typeof steps} */ (event.key)];
    if (event.key === "+") zoom(STEP);
    else if (event.key === "-") zoom(1 / STEP);
    else if (event.key === "Escape") show(width / 2, height / 2, 1);
    else if (step && at >= 0) {
      const next = /** @type {SVGElement} */ (places[(at + step + places.length) % places.length]);
      places[at]?.setAttribute("tabindex", "-1");
      next.setAttribute("tabindex", "0");
      next.focus();
      if (view.width < width && next instanceof SVGGraphicsElement) {
        const { x, y, width: wide, height: high } = next.getBBox();
        show(x + wide / 2, y + high / 2, width / view.width);
      }
    } else return;
    event.preventDefault();
  });
  let held = /** @type {{x: number, y: number} | null} */ (null);
  map.addEventListener("pointerdown", (event) => {
    held = view.width < width ? { x: event.clientX, y: event.clientY } : null;
  });
  map.addEventListener("pointermove", (event) => {
    if (!held || !event.buttons) return;
    const scale = view.width / map.clientWidth;
    const moved = { x: (held.x - event.clientX) * scale, y: (held.y - event.clientY) * scale };
    if (Math.hypot(moved.x, moved.y) < MOVE) return;
    held = { x: event.clientX, y: event.clientY };
    show(view.x + view.width / 2 + moved.x, view.y + view.height / 2 + moved.y, width / view.width);
  });
}

if (box instanceof HTMLElement && svg instanceof SVGSVGElement) enhance(svg, box);
