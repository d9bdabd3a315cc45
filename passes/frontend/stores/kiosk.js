/**
 * The stored data of a kiosk (IndexedDB `crowdtrace-kiosk`): its token and pinned root key, the signed bundle, sealed scans
 * that wait for the network or were not accepted, and replay rows encrypted with a key that is not stored. None of it
 * names or identifies a visitor, or reveals when one came.
 *
 * @typedef {object} DeviceRow
 * @property {string} token
 * @property {Uint8Array<ArrayBuffer>} rootKey pinned when the device enrolled
 * @property {string} name
 *
 * @typedef {object} BundleRow
 * @property {Uint8Array<ArrayBuffer>} bytes as the server signed them; verified each time they are read
 * @property {number} offsetS correction of this device's clock
 *
 * @typedef {{scan_id: string, sealed: string}} QueuedScan
 * @typedef {import("../door/replay_rows.js").SealedRow} SealedRow
 */
import { openDB } from "idb";

const NAME = "crowdtrace-kiosk";
const VERSION = 3;
/** Name of the setting with the staff's PIN. */
export const PIN = "pin";

/** @returns {Promise<KioskStore>} @throws {DOMException} if the browser refuses storage */
export async function openKioskStore() {
  const database = await openDB(NAME, VERSION, {
    upgrade(fresh, before, _now, work) {
      fresh.createObjectStore("refused", { keyPath: "scan_id" });
      if (before === 1) work.objectStore("replay").clear(); // rows were not encrypted
      if (before > 0) return;
      fresh.createObjectStore("state");
      // Ids are random, so the order of the keys reveals nothing about the order of the visitors.
      fresh.createObjectStore("queue", { keyPath: "scan_id" });
      fresh.createObjectStore("replay", { keyPath: "tag" });
    },
    blocking: (_current, _blocked, event) => /** @type {IDBDatabase} */ (event.target).close(),
  });
  return new KioskStore(database);
}

export class KioskStore {
  /** @param {import("idb").IDBPDatabase} database */
  constructor(database) {
    this.database = database;
  }

  /** @returns {Promise<DeviceRow | null>} */
  async device() {
    return (await this.database.get("state", "device")) ?? null;
  }

  /** @param {DeviceRow} device */
  async saveDevice(device) {
    await this.database.put("state", device, "device");
  }

  /** @returns {Promise<BundleRow | null>} */
  async bundle() {
    return (await this.database.get("state", "bundle")) ?? null;
  }

  /** @param {BundleRow} row */
  async saveBundle(row) {
    await this.database.put("state", row, "bundle");
  }

  /**
   * @param {string} name
   * @returns {Promise<unknown>} a setting of the staff
   */
  async setting(name) {
    return this.database.get("state", `setting:${name}`);
  }

  /** @param {string} name @param {unknown} value */
  async saveSetting(name, value) {
    await this.database.put("state", value, `setting:${name}`);
  }

  /** Store the replay row and the scan for the server in one transaction. @param {QueuedScan} scan @param {SealedRow | null} row */
  async record(scan, row) {
    const work = this.database.transaction(["queue", "replay"], "readwrite");
    await Promise.all([work.objectStore("queue").put(scan), row && work.objectStore("replay").put(row), work.done]);
  }

  /** @param {SealedRow} row */
  async remember(row) {
    await this.database.put("replay", row);
  }

  /** @returns {Promise<SealedRow[]>} */
  replayRows() {
    return this.database.getAll("replay");
  }

  /** @param {string[]} tags */
  async forget(tags) {
    const work = this.database.transaction("replay", "readwrite");
    await Promise.all([...tags.map((tag) => work.store.delete(tag)), work.done]);
  }

  /** Delete rows of a lost key, which can never be read again. */
  async forgetAll() {
    await this.database.clear("replay");
  }

  /** @returns {Promise<number>} */
  queued() {
    return this.database.count("queue");
  }

  /** @param {number} limit @returns {Promise<QueuedScan[]>} */
  nextQueued(limit) {
    return this.database.getAll("queue", undefined, limit);
  }

  /** @param {string[]} ids */
  async uploaded(ids) {
    const work = this.database.transaction("queue", "readwrite");
    await Promise.all([...ids.map((id) => work.store.delete(id)), work.done]);
  }

  /** Move a scan that the server does not accept out of the queue. @param {QueuedScan} scan */
  async setAside(scan) {
    const work = this.database.transaction(["queue", "refused"], "readwrite");
    await Promise.all([work.objectStore("refused").put(scan), work.objectStore("queue").delete(scan.scan_id), work.done]);
  }

  /** @returns {Promise<number>} how many scans the server did not accept */
  refused() {
    return this.database.count("refused");
  }

  /** Put the scans that the server did not accept back into the queue. */
  async sendAgain() {
    const work = this.database.transaction(["queue", "refused"], "readwrite");
    const scans = await work.objectStore("refused").getAll();
    await Promise.all([...scans.map((scan) => work.objectStore("queue").put(scan)), work.objectStore("refused").clear(), work.done]);
  }

  /**
   * Delete the device's data, as after a revocation, and the staff's PIN, which a new enrolment replaces. The queue stays,
   * because another enrolment at this venue may still send it.
   */
  async unenrol() {
    await Promise.all(["device", "bundle", `setting:${PIN}`].map((key) => this.database.delete("state", key)));
  }
}
