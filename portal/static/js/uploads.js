// Files go by themselves, in pieces, with progress. A broken line, a closed page or a restarted server loses nothing that
// arrived: the server says how much it has, and the rest follows (choose the same file again after a reload). A form
// without an address for pieces sends its files whole. Without this script it is an ordinary form.

const SMALLEST = 256 * 1024;
const LARGEST = 1024 * 1024;
const QUICK = 2000;           // a piece that took less lets the next one be larger
const WAITS = [1000, 2000, 5000, 10000, 20000, 30000];
const KEPT = "tamdan-upload";

class Refused extends Error {}

const pause = (wait) => new Promise((done) => {
  const timer = setTimeout(done, wait);
  addEventListener("online", () => { clearTimeout(timer); done(); }, { once: true });
});

function send(method, url, body, token, progress) {
  return new Promise((done, broken) => {
    const request = new XMLHttpRequest();
    if (progress) request.upload.addEventListener("progress", (event) => progress(event.loaded));
    request.addEventListener("load", () => {
      let told = {};
      try { told = JSON.parse(request.responseText); } catch { /* no sentence came */ }
      done({ status: request.status, told });
    });
    for (const name of ["error", "timeout", "abort"]) request.addEventListener(name, () => broken(new Error(name)));
    request.open(method, url);
    request.timeout = 120000;
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("X-CSRFToken", token);
    if (method === "PUT") request.setRequestHeader("Content-Type", "application/octet-stream");
    request.send(body);
  });
}

function sentenceOf(told) {
  const problem = (told.problems || told.refused || [])[0];
  return (problem && problem.message) || told.message || told.title || "";
}

// The same file, chosen again after a reload, goes on under the same name.
function identifierOf(address, file) {
  const key = [KEPT, address, file.name, file.size, file.lastModified].join("|");
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  let identifier = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  try {
    identifier = localStorage.getItem(key) || identifier;
    localStorage.setItem(key, identifier);
  } catch { /* private windows keep nothing: it cannot go on after a reload there */ }
  return { identifier, forget: () => { try { localStorage.removeItem(key); } catch { /* nothing was kept */ } } };
}

class Upload {
  constructor(box, target) {
    this.box = box;
    this.target = target;
    this.bar = box.querySelector("progress");
    this.words = box.querySelector("[data-words]");
    this.token = target.elements.csrf_token.value;
    // cells of tables share one form, and each says where its own files go
    this.address = box.dataset.to || target.getAttribute("action");
  }

  say(text) { this.words.textContent = text; }

  show(part) {
    const percent = String(Math.floor(100 * part));
    this.bar.hidden = false;
    this.bar.value = Number(percent);
    const said = this.box.dataset.digits === "khmr" ? percent.replace(/[0-9]/g, (digit) => "០១២៣៤៥៦៧៨៩"[digit]) : percent;
    const text = `${this.box.dataset.uploading} ${said}%`;
    if (text !== this.words.textContent) this.say(text);
  }

  // Send until it is answered; a line that breaks is waited for.
  async insist(method, url, body, progress) {
    for (let tries = 0; ; tries += 1) {
      try {
        const answer = await send(method, url, body, this.token, progress);
        if (![429, 502, 503, 504].includes(answer.status) || answer.told.code === "scanner_unavailable") return answer;
      } catch { /* the line is broken */ }
      if (method === "PUT" && tries > 0) return { status: 0, told: {} };
      this.say(this.box.dataset.waiting);
      await pause(WAITS[Math.min(tries, WAITS.length - 1)]);
    }
  }

  judged(answer) {
    if (answer.status === 401) throw new Refused(this.box.dataset.signedOut);
    if (answer.status >= 400 && answer.status !== 409) throw new Refused(sentenceOf(answer.told) || this.box.dataset.failed);
    if (answer.status === 409 && typeof answer.told.offset !== "number") {
      throw new Refused(sentenceOf(answer.told) || this.box.dataset.failed);
    }
    return answer.told;
  }

  async pieces(file, url) {
    let at = this.judged(await this.insist("GET", url)).offset;
    let size = SMALLEST;
    while (at < file.size) {
      const from = at;
      const began = Date.now();
      this.show(from / file.size);
      const answer = await this.insist(
        "PUT", `${url}?offset=${from}`, file.slice(from, from + size), (loaded) => this.show(Math.min(1, (from + loaded) / file.size)),
      );
      if (answer.status) {
        at = this.judged(answer).offset;
        size = Date.now() - began < QUICK ? Math.min(LARGEST, 2 * size) : SMALLEST;
      } else {
        // nobody knows how much of it arrived but the server
        at = this.judged(await this.insist("GET", url)).offset;
        size = SMALLEST;
      }
    }
  }

  async one(file) {
    const { identifier, forget } = identifierOf(this.address, file);
    const url = this.target.dataset.pieces + identifier;
    for (let times = 0; times < 3; times += 1) {
      await this.pieces(file, url);
      this.show(1);
      const body = new FormData(this.target);
      for (const [name, value] of [...body.entries()]) if (value instanceof File) body.delete(name);
      body.set("upload", identifier);
      body.set("name", file.name);
      body.set("size", String(file.size));
      const answer = await this.insist("POST", this.address, body);
      if (answer.status >= 200 && answer.status < 300) { forget(); return; }
      if (!(answer.status === 409 && typeof answer.told.offset === "number")) {
        if (answer.told.code !== "scanner_unavailable") forget();
        this.judged(answer);
      }
    }
    throw new Refused(this.box.dataset.failed);
  }

  async whole() {
    let total = 1;
    for (const file of this.target.elements.namedItem(this.name).files) total += file.size;
    const answer = await send("POST", this.address, new FormData(this.target), this.token, (loaded) => this.show(Math.min(1, loaded / total)));
    if (answer.status >= 400) throw new Refused(sentenceOf(answer.told) || this.box.dataset.failed);
  }
}

// on the document: rows that a script adds bring their fields along
document.addEventListener("change", async (event) => {
  const box = event.target.closest("[data-upload]");
  const field = event.target;
  const target = field.form;
  if (!box || field.type !== "file" || !target || !field.files.length) return;
  const button = box.querySelector("button");
  const upload = new Upload(box, target);
  upload.name = field.name;
  button.disabled = true;
  try {
    if (target.dataset.pieces) for (const file of [...field.files]) await upload.one(file);
    else await upload.whole();
    // the page may have answers to send first
    if (document.dispatchEvent(new CustomEvent("tamdan:uploaded", { cancelable: true }))) location.reload();
  } catch (error) {
    upload.bar.hidden = true;
    button.disabled = false;
    upload.say(error instanceof Refused ? error.message : box.dataset.failed);
    field.value = "";
  }
});
