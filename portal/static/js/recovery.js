// What is not saved yet is kept in this browser, encrypted, until the server has said that it has it
// (docs/decisions/0027). The key comes of a secret in the page, which only its reader is given, and of a random part that
// lies beside the texts and goes with them at sign-out. Each open page has a record of its own; the record of a page that
// is no longer open is offered again.

const KEPT_DAYS = 7;
const KEEP_EVERY = 1500; // milliseconds between two copies while somebody types
const STORE = "kept";

// When a text was kept, as the portal writes a day and a time: the browser may not know the months of the language.
function dayAndTime(at, { timeZone, digits }) {
  const shape = { day: "numeric", month: "numeric", year: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
  let format;
  try {
    format = new Intl.DateTimeFormat("en-GB", { ...shape, timeZone });
  } catch {
    format = new Intl.DateTimeFormat("en-GB", shape);
  }
  const { day, month, year, hour, minute } = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, value]));
  const name = document.querySelector("[data-months]").dataset.months.split("|")[month - 1];
  const text = `${day} ${name} ${year} ${hour}:${minute}`;
  return digits === "khmr" ? text.replace(/[0-9]/g, (one) => String.fromCharCode(0x17e0 + Number(one))) : text;
}

// "saved 23:50" (its words with the time in the place of {time}), said on another day than today, with that day. What has
// its day already begins with no time.
function withItsDay(text, words, saidOn, given) {
  const [then, now] = [saidOn, new Date()].map((at) => dayAndTime(at, given).slice(0, -6));
  const place = words.indexOf("{time}");
  return then === now || text[place + 2] !== ":" ? text : `${text.slice(0, place)}${then}, ${text.slice(place)}`;
}

const promised = (request) => new Promise((done, fail) => {
  request.onsuccess = () => done(request.result);
  request.onerror = () => fail(request.error);
});

class LocalCopy {
  // snapshot() gives what is not saved, null for nothing; changed() is told when keeping begins or ceases to work
  constructor(secret, path, snapshot, changed) {
    Object.assign(this, { secret, path, snapshot, changed, works: false, ended: false, last: 0, timer: 0, busy: null });
    this.tab = Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => byte.toString(16).padStart(2, "0")).join("");
    this.ready = this.open().catch(() => { this.works = false; });
  }

  async open() {
    if (!globalThis.indexedDB || !crypto.subtle || !navigator.locks || !this.secret) return;
    const text = new TextEncoder();
    this.whose = await this.digest(this.secret);
    this.tag = await this.digest(`${this.secret} ${this.path}`);
    const asked = indexedDB.open("tamdan", 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore(STORE, { keyPath: "id" });
    this.base = await promised(asked);
    // sign-out in another tab removes everything: nothing is written after it
    this.base.onversionchange = () => { this.base.close(); this.end(); };
    let salt = await promised(this.store().get("salt"));
    if (!salt) {
      // another tab may be as fast: the first one counts
      const fresh = { id: "salt", salt: crypto.getRandomValues(new Uint8Array(16)) };
      await promised(this.store("readwrite").add(fresh)).catch(() => {});
      salt = await promised(this.store().get("salt"));
    }
    const whole = await crypto.subtle.importKey("raw", text.encode(this.secret), "HKDF", false, ["deriveKey"]);
    this.key = await crypto.subtle.deriveKey(
      { name: "HKDF", hash: "SHA-256", salt: salt.salt, info: text.encode("tamdan local copy") },
      whole, { name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"],
    );
    navigator.locks.request(`tamdan ${this.tab}`, () => new Promise(() => {})); // says that this page is open
    await this.forgetOld();
    this.works = true;
  }

  async digest(words) {
    const made = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(words));
    return Array.from(new Uint8Array(made).slice(0, 16), (byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  store(mode = "readonly") {
    return this.base.transaction(STORE, mode).objectStore(STORE);
  }

  end() {
    this.ended = true;
    this.fail();
  }

  fail() {
    if (!this.works) return;
    this.works = false;
    this.changed();
  }

  // Something changed: a copy is due, soon after a pause, else at the pace of KEEP_EVERY; what is saved goes at once, so
  // that it is never taken for unsaved when somebody has written over it.
  later() {
    if (this.ended) return;
    if (!this.snapshot()) {
      if (this.written) this.now();
      return;
    }
    this.timer ||= setTimeout(() => this.now(), Math.max(150, this.last + KEEP_EVERY - Date.now()));
  }

  async now() {
    clearTimeout(this.timer);
    this.timer = 0;
    await this.ready;
    if (!this.key || this.ended) return;
    while (this.busy) await this.busy;
    this.last = Date.now();
    this.busy = this.put().catch(() => this.fail()).finally(() => { this.busy = null; });
    await this.busy;
  }

  async put() {
    const id = `${this.whose}:${this.tag}:${this.tab}`;
    const kept = this.snapshot();
    this.written = Boolean(kept);
    if (!kept) {
      await promised(this.store("readwrite").delete(id));
      return;
    }
    const iv = crypto.getRandomValues(new Uint8Array(12));
    const content = new TextEncoder().encode(JSON.stringify(kept));
    const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv, additionalData: new TextEncoder().encode(id) }, this.key, content);
    await promised(this.store("readwrite").put({ id, at: Date.now(), iv, sealed }));
    if (!this.works && !this.ended) {
      this.works = true;
      this.changed();
    }
  }

  // What was kept of this page by tabs that are open no more, the newest first: [{id, at, kept}]; without a path, of any.
  async found() {
    await this.ready;
    if (!this.key) return [];
    const first = this.path ? `${this.whose}:${this.tag}:` : `${this.whose}:`;
    const records = await promised(this.store().getAll(IDBKeyRange.bound(first, `${first}~`)));
    const { held } = await navigator.locks.query();
    const open = new Set(held.map((lock) => lock.name));
    const dead = records.filter((one) => !open.has(`tamdan ${one.id.split(":")[2]}`)).sort((one, other) => other.at - one.at);
    const read = [];
    for (const { id, at, iv, sealed } of dead) {
      try {
        const plain = await crypto.subtle.decrypt({ name: "AES-GCM", iv, additionalData: new TextEncoder().encode(id) }, this.key, sealed);
        read.push({ id, at, kept: JSON.parse(new TextDecoder().decode(plain)) });
      } catch {
        await this.drop(id); // of another key: nobody will ever read it
      }
    }
    return read;
  }

  async drop(id) {
    await promised(this.store("readwrite").delete(id));
  }

  async forgetOld() {
    const before = Date.now() - KEPT_DAYS * 86400000;
    for (const one of await promised(this.store().getAll())) if (one.at && one.at < before) await this.drop(one.id);
  }
}
