// Files go by themselves, in pieces, with progress. A broken line, a closed page or a restarted server loses nothing that
// arrived: the server says how much it has, and the rest follows (choose the same file again after a reload). It judges name
// and size before the first piece. One file follows another, wherever on the page they were chosen, and each has a line of
// its own; once all were tried the page is read again, and what was refused is said on it. A form without an address for
// pieces sends its files whole. Without this script it is an ordinary form.

const SMALLEST = 256 * 1024;
const LARGEST = 1024 * 1024;
const QUICK = 2000;           // a piece that took less lets the next one be larger
const WAITS = [1000, 2000, 5000, 10000, 20000, 30000];
const KEPT = "tamdan-upload";
const TOLD = "tamdan-upload-told";

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
  constructor(box, field, file, named) {
    this.box = box;
    this.field = field;
    this.target = field.form;
    this.file = file;
    this.named = named;
    this.bar = box.querySelector("progress");
    this.token = this.target.elements.csrf_token.value;
    // cells of tables share one form, and each says where its own files go
    this.address = box.dataset.to || this.target.getAttribute("action");
    this.line = lineIn(box);
    if (named) this.say(box.dataset.queued);
  }

  say(text) {
    const { name } = this.file;
    const said = this.named && !text.includes(name) ? `${name}: ${text}` : text;
    if (said !== this.line.textContent) this.line.textContent = said;
  }

  refused(error) {
    this.line.dataset.refused = "";
    this.say(error instanceof Refused ? error.message : this.box.dataset.failed);
  }

  show(part) {
    const percent = String(Math.floor(100 * part));
    this.bar.hidden = false;
    this.bar.value = Number(percent);
    const said = this.box.dataset.digits === "khmr" ? percent.replace(/[0-9]/g, (digit) => "០១២៣៤៥៦៧៨៩"[digit]) : percent;
    this.say(`${this.box.dataset.uploading} ${said}%`);
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

  async pieces(url) {
    const { file } = this;
    const about = new URLSearchParams({ name: file.name, size: file.size, kinds: this.field.accept });
    let at = this.judged(await this.insist("GET", `${url}?${about}`)).offset;
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

  // The fields of the form without its files: each goes by itself.
  fields() {
    const body = new FormData(this.target);
    for (const [name, value] of [...body.entries()]) if (value instanceof File) body.delete(name);
    return body;
  }

  async inPieces() {
    const { file } = this;
    const { identifier, forget } = identifierOf(this.address, file);
    const url = this.target.dataset.pieces + identifier;
    for (let times = 0; times < 3; times += 1) {
      await this.pieces(url);
      this.show(1);
      const body = this.fields();
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
    const { file } = this;
    const body = this.fields();
    body.set(this.field.name, file);
    const answer = await send("POST", this.address, body, this.token, (loaded) => this.show(Math.min(1, loaded / (file.size + 1))));
    if (answer.status >= 400) throw new Refused(sentenceOf(answer.told) || this.box.dataset.failed);
  }

  async go() {
    if (this.target.dataset.pieces) await this.inPieces();
    else await this.whole();
    if (this.named) this.say(this.box.dataset.arrived.replace("{name}", () => this.file.name));
  }
}

function lineIn(box) {
  const line = document.createElement("span");
  line.className = "upload-line";
  box.querySelector("[data-words]").append(line);
  return line;
}

// What was refused outlives the reading of the page that shows what arrived; false where the browser keeps nothing.
function keepRefused() {
  const told = [...document.querySelectorAll(".upload-line[data-refused]")].map((line) => {
    const field = line.closest("[data-upload]").querySelector("input[type=file]");
    return [field.id, line.textContent];
  });
  if (!told.length) return true;
  try {
    sessionStorage.setItem(TOLD, JSON.stringify({ page: location.pathname, told }));
    return true;
  } catch { return false; }
}

function tellRefused() {
  let kept = null;
  try {
    kept = JSON.parse(sessionStorage.getItem(TOLD));
    sessionStorage.removeItem(TOLD);
  } catch { /* nothing was kept */ }
  if (!kept || kept.page !== location.pathname) return;
  for (const [id, text] of kept.told) {
    const field = document.getElementById(id);
    const box = (field && field.closest("[data-upload]")) || document.querySelector("[data-upload]");
    if (box) Object.assign(lineIn(box), { textContent: text }).dataset.refused = "";
  }
}

const queue = [];
let current = null;
let arrived = false;

const underWay = () => current !== null || queue.length > 0;
const waitsIn = (box) => [current, ...queue].some((one) => one && one.box === box);

async function run() {
  while (queue.length) {
    current = queue.shift();
    try {
      await current.go();
      arrived = true;
    } catch (error) {
      current.refused(error);
    }
    const { box, bar } = current;
    current = null;
    if (!waitsIn(box)) {
      bar.hidden = true;
      box.querySelector("button").disabled = false;
    }
  }
  // the page may have answers to send first; whoever chose another file meanwhile is not interrupted
  if (!arrived) return;
  const asked = new CustomEvent("tamdan:uploaded", { cancelable: true, detail: { underWay, keepRefused } });
  if (document.dispatchEvent(asked) && keepRefused()) location.reload();
}

// What is chosen goes by itself: the button beside it chooses, and asks nobody to choose a file that is on its way or has come.
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-upload] button[type=submit]");
  const field = button?.closest("[data-upload]").querySelector("input[type=file]");
  if (!field || field.files.length) return;
  event.preventDefault();
  field.click();
});

// on the document: rows that a script adds bring their fields along
document.addEventListener("change", (event) => {
  const box = event.target.closest("[data-upload]");
  const field = event.target;
  if (!box || field.type !== "file" || !field.form || !field.files.length) return;
  const files = [...field.files];
  if (!waitsIn(box)) box.querySelector("[data-words]").replaceChildren();
  const first = !underWay();
  for (const file of files) queue.push(new Upload(box, field, file, files.length > 1 || !first));
  field.value = "";
  box.querySelector("button").disabled = true;
  if (first) run();
});

tellRefused();
