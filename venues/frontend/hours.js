/**
 * Opening hours with time pickers. The page has one line of text a day, which works without a script and is what is
 * sent; here each line gets pickers that write it. A line that pickers cannot show (past the next day) stays a line.
 */

const SPAN = /^(\d{1,2})(?:[:.](\d\d))?\s*(?:-|–|to)\s*(\d{1,2})(?:[:.](\d\d))?$/;

/** @typedef {{ opens: string, closes: string }} Span times as pickers have them, `HH:MM` */

/** @param {string} line @returns {Span[] | null} `null` where pickers cannot show it */
export function readLine(line) {
  /** @type {Span[]} */
  const spans = [];
  for (const part of line.split(",").filter((one) => one.trim())) {
    const found = SPAN.exec(part.trim());
    if (!found) return null;
    const [hour, minute, lastHour, lastMinute] = [1, 2, 3, 4].map((at) => Number(found[at] ?? 0));
    if (!fits(hour, minute) || hour === 24 || !fits(lastHour, lastMinute)) return null;
    spans.push({ opens: clock(hour, minute), closes: clock((lastHour ?? 0) % 24, lastMinute) });
  }
  return spans;
}

/** @param {Span[]} spans @returns {string} midnight at the end of a day is 24:00; what is half filled in is left out */
export function writeLine(spans) {
  return spans
    .filter(({ opens, closes }) => opens && closes)
    .map(({ opens, closes }) => `${opens}-${closes === "00:00" ? "24:00" : closes}`)
    .join(", ");
}

/** @param {Span} span @returns {boolean} whether it ends on the next day */
export const endsNextDay = ({ opens, closes }) => Boolean(opens && closes) && closes !== "00:00" && closes <= opens;

/** @param {number | undefined} hour @param {number | undefined} minute */
const fits = (hour = 0, minute = 0) => hour * 60 + minute <= 24 * 60 && minute < 60;

/** @param {number | undefined} hour @param {number | undefined} minute */
const clock = (hour = 0, minute = 0) => `${String(hour).padStart(2, "0")}:${String(minute).padStart(2, "0")}`;

/** @param {HTMLElement} form the element around all days, with the words of the page */
export function pickers(form) {
  const words = form.dataset;
  const lines = [...form.querySelectorAll("input")];
  const days = lines.map((line) => day(line, words, (/** @type {Span[]} */ spans) => days.forEach((one) => one?.(spans))));
  // Once no line is left to be written by hand, nobody needs to know how.
  const help = document.querySelector("[data-line-help]");
  if (help instanceof HTMLElement) help.hidden = days.every(Boolean);
}

/**
 * @param {HTMLInputElement} line
 * @param {DOMStringMap} words
 * @param {(spans: Span[]) => void} copy to every day
 * @returns {((spans: Span[]) => void) | null} what shows other hours on this day
 */
function day(line, words, copy) {
  let spans = readLine(line.value);
  const label = document.querySelector(`label[for="${line.id}"]`);
  if (!spans || !label) return null;
  const name = label.textContent?.trim() ?? "";
  const group = document.createElement("div");
  group.className = "day-hours";
  const heading = document.createElement("p");
  heading.className = "is-day-name";
  heading.textContent = name;
  label.replaceWith(heading);
  line.type = "hidden";
  line.after(group);

  const write = () => {
    line.value = writeLine(spans ?? []);
  };

  const show = () => {
    const rows = (spans ?? []).map((span, at) => row(span, at));
    const buttons = document.createElement("div");
    buttons.className = "actions";
    buttons.append(
      button(words.add ?? "", () => {
        const last = spans?.at(-1);
        spans = [...(spans ?? []), last ? { opens: "", closes: "" } : { opens: "09:00", closes: "17:00" }];
        change();
        group.querySelectorAll("input")[2 * (spans.length - 1)]?.focus();
      }),
      button(words.copyDay ?? "", () => copy(spans ?? [])),
    );
    if (!rows.length) {
      const closed = document.createElement("p");
      closed.className = "quiet";
      closed.textContent = words.closed ?? "";
      rows.push(closed);
    }
    group.replaceChildren(...rows, buttons);
  };

  const change = () => {
    write();
    show();
  };

  /** @param {string} text @param {() => void} press */
  const button = (text, press) => {
    const made = document.createElement("button");
    made.type = "button";
    made.className = "as-link";
    made.textContent = text;
    const of = document.createElement("span");
    of.className = "visually-hidden";
    of.textContent = ` (${name})`;
    made.append(of);
    made.addEventListener("click", press);
    return made;
  };

  /** @param {Span} span @param {number} at */
  const row = (span, at) => {
    const made = document.createElement("div");
    made.className = "hours-row";
    const next = document.createElement("small");
    next.className = "quiet";
    const note = () => {
      next.textContent = endsNextDay(span) ? (words.next ?? "") : "";
    };
    for (const end of /** @type {const} */ (["opens", "closes"])) {
      const picker = document.createElement("input");
      picker.type = "time";
      picker.value = span[end];
      picker.setAttribute("aria-label", `${name}, ${(end === "opens" ? words.open : words.close) ?? ""} ${at + 1}`);
      picker.addEventListener("input", () => {
        span[end] = picker.value;
        note();
        write();
      });
      made.append(picker);
      if (end === "opens") made.append("–");
    }
    note();
    made.append(
      button(words.remove ?? "", () => {
        spans = (spans ?? []).filter((one) => one !== span);
        change();
      }),
      next,
    );
    return made;
  };

  show();
  return (others) => {
    spans = others.map((one) => ({ ...one }));
    change();
  };
}
