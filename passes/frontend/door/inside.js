/**
 * The number of people inside, as one kiosk can estimate it: people whom the server counted when it made the bundle, as
 * long as their stays last, and people who came or left through this door since. Other kiosks without a network are
 * unknown here; the server is asked if possible.
 *
 * @typedef {object} Occupancy
 * @property {number} countedAt Unix seconds
 * @property {number[]} still of those inside then, how many have not timed out 0, 15, 30, ... minutes later
 *
 * @typedef {object} Stay in Unix seconds, from inside, to outside
 * @property {number} from 0 if the visitor came in through another door
 * @property {number} to
 * @property {number} due when the stay would have timed out without a Checkout
 *
 * @typedef {import("./decide.js").ScanType} ScanType
 */
const STEP_S = 900;

/** @param {Stay[]} stays @param {number} at Unix seconds @returns {Stay | undefined} */
export function stayAt(stays, at) {
  return stays.find(({ from, to }) => from <= at && at < to);
}

/**
 * @param {Stay[]} stays of one pass
 * @param {ScanType} type
 * @param {number} at Unix seconds
 * @param {number} due when a stay that continues now times out
 * @returns {Stay[]} stays after the visitor went through
 */
export function moved(stays, type, at, due) {
  const present = stayAt(stays, at);
  const others = stays.filter((stay) => stay !== present && stay.due > at);
  if (type === "Checkout") return [...others, { from: 0, due, ...present, to: at }];
  const ends = Math.max(due, present?.to ?? 0);
  return [...others, { from: present?.from ?? at, to: ends, due: ends }];
}

/**
 * @param {Occupancy} occupancy
 * @param {Iterable<Stay[]>} known the stays of each pass that this kiosk remembers
 * @param {number} at Unix seconds
 * @returns {number}
 */
export function countInside({ countedAt, still }, known, at) {
  let people = still[Math.max(0, Math.floor((at - countedAt) / STEP_S))] ?? 0;
  for (const stays of known) {
    if (stayAt(stays, at)) people += 1;
    // People inside at the time of the count are included until their stay times out.
    if ((stayAt(stays, countedAt)?.due ?? 0) > at) people -= 1;
  }
  return Math.max(0, people);
}
