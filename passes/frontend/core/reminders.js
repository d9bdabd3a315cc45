/**
 * Reminders that a device computes only from its own data: nobody sends anything.
 *
 * @typedef {import("../stores/visitor.js").KeptPass} KeptPass
 */
import { VISIT_RETENTION_S } from "./epoch.js";

/** @param {KeptPass[]} passes @param {number} nowS @returns {KeptPass[]} whose visit may have begun, unrated ones first */
export function rateable(passes, nowS) {
  const open = passes.filter(({ credential, withdrawn, erased, epoch }) => (credential !== null || withdrawn !== undefined) && !erased && epoch.start <= nowS && nowS < epoch.end + VISIT_RETENTION_S);
  return open.sort((a, b) => Number(a.rated !== undefined) - Number(b.rated !== undefined) || b.epochStart - a.epochStart);
}

/** @param {KeptPass[]} passes @param {number} nowS @returns {KeptPass[]} unrated visits of days that are over */
export function toRate(passes, nowS) {
  return rateable(passes, nowS).filter(({ rated, epoch }) => rated === undefined && epoch.start + 24 * 3600 <= nowS);
}

/**
 * Create a calendar event with an alarm on this device. It names no place, because calendars are often shared.
 *
 * @param {{title: string, text: string, atS: number, uid: string}} about
 * @returns {string} a calendar file (RFC 5545)
 */
export function calendarFile({ title, text, atS, uid }) {
  const time = (/** @type {number} */ seconds) => `${new Date(seconds * 1000).toISOString().slice(0, 19).replaceAll(/[-:]/g, "")}Z`;
  const plain = (/** @type {string} */ value) => value.replaceAll(/[\\;,]/g, "\\$&").replaceAll("\n", "\\n");
  return [
    "BEGIN:VCALENDAR",
    "VERSION:2.0",
    "PRODID:-//CrowdTrace//EN",
    "BEGIN:VEVENT",
    `UID:${uid}`,
    `DTSTAMP:${time(atS)}`,
    `DTSTART:${time(atS)}`,
    "DURATION:PT5M",
    `SUMMARY:${plain(title)}`,
    `DESCRIPTION:${plain(text)}`,
    "TRANSP:TRANSPARENT",
    "BEGIN:VALARM",
    "ACTION:DISPLAY",
    `DESCRIPTION:${plain(title)}`,
    "TRIGGER:PT0S",
    "END:VALARM",
    "END:VEVENT",
    "END:VCALENDAR",
    "",
  ].map(folded).join("\r\n");
}

const LONGEST_LINE = 75;
const bytesOf = (/** @type {string} */ text) => new TextEncoder().encode(text).length;

/** @param {string} line @returns {string} folded into lines of at most 75 bytes, each after the first starting with a space (RFC 5545, 3.1) */
function folded(line) {
  const lines = [""];
  for (const mark of line) {
    const last = lines.length - 1;
    if (bytesOf(lines[last] + mark) > LONGEST_LINE) lines.push(` ${mark}`);
    else lines[last] += mark;
  }
  return lines.join("\r\n");
}
