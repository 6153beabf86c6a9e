// bundle: calendar.js recovery.js presence.js keeping.js versions.js later.js refusing.js leading.js
// The answering page: saves each changed answer by itself, says honestly whether it is safe, and shows both texts
// when a colleague changed the same answer. Without this script the page is an ordinary form.

const form = document.querySelector("form[data-autosave]");
const status = document.querySelector(".save-status");
const words = status.querySelector("[data-words]");
const aloud = document.querySelector("[data-save-aloud]");
const TROUBLE = new Set(["offline", "conflict", "ended", "denied", "error"]);
const WAIT_TYPING = 900;
const WAIT_CHOICE = 150;
const LONGEST_WAIT = 30000;
const AT_ONCE = 400;          // answers in one post: a pasted table goes in several

const dirty = new Set();      // names of answers changed since they were last sent
const sentAs = new Map();   // name -> what was last sent, so that leaving a field sends nothing twice
const stale = new Map();      // name -> what waits for the reader's choice (versions.js)
const lost = new Set();       // names of answers that the server does not keep, closed meanwhile: they stand on this page alone
let flight = null;            // {names, body, key, tries}: sent or to be sent again with the same key
let timer = 0;
let retry = 0;
let leaving = false;
let heldBack = false;         // a post was held since there is no line: the next press goes, whatever the browser thinks
let renewed = false;          // a new token was asked for since the last save that was taken
let stopped = false;          // the session ended or the right was withdrawn: nothing is sent any more
let awaited = false;          // its writer may sign in again beside this page, after somebody else did too
let held = "";                // what the server keeps of this page since its session ended
let savedAt = status.dataset.saved || (status.dataset.state === "saved" ? words.textContent.trim() : "");
let savedOn = new Date();     // when that was said
// the page opens at the address of the reply too: what this device keeps of it is kept under its own
const address = form.getAttribute("action");
if (address && address !== location.pathname) history.replaceState(history.state, "", address + location.hash);
const copy = new LocalCopy(form.dataset.keeps, location.pathname, unsaved, () => { if (status.dataset.state === "offline") say("offline"); });

document.documentElement.classList.add("has-script");
leadFromBar(status, form);

// --- what an answer is on this page ---------------------------------------------------------------------------------

// by the browser's own index of names where it can be: a page may have thousands of cells
function unitOf(name) {
  const field = form.elements.namedItem(name);
  const unit = (field instanceof RadioNodeList ? field[0] : field)?.closest("[data-answer]");
  return unit && unit.dataset.answer === name ? unit : form.querySelector(`[data-answer="${CSS.escape(name)}"]`);
}
const baseOf = (name) => form.elements.namedItem(`base:${name}`);

// The answers that a field belongs to: the state of a text in several languages stands once, for all of its parts.
function namesOf(field) {
  const unit = field.closest("[data-answer]");
  if (unit) return [unit.dataset.answer];
  const item = field.name && field.name.endsWith("!state") && field.closest("[data-item]");
  return item ? [...item.querySelectorAll("[data-answer]")].map((part) => part.dataset.answer) : [];
}

function stateAround(name) {
  const item = name.includes("@") && unitOf(name)?.closest("[data-item]");
  return item ? item.querySelector(`input[name="${CSS.escape(item.dataset.item)}!state"]:checked`) : null;
}

function fieldsOf(name) {
  const unit = unitOf(name); // a page may have thousands of cells: only the item's own fields are looked at
  const scope = (unit && unit.closest("[data-item]")) || form;
  return [...scope.querySelectorAll("input, select, textarea")].filter((field) => field.name === name || field.name.startsWith(`${name}!`));
}

// A row of a table is sent when it changes ("row:TABLE[key]"), and before the first answer in it.
function writeRow(row, into) {
  if (!row || into.has(`row:${row.dataset.row}`)) return;
  const outer = row.closest("[data-inner]");
  const around = outer && form.querySelector(`[data-row="${CSS.escape(outer.dataset.inner)}"]`);
  if (around && isNew(around)) writeRow(around, into);
  for (const field of row.querySelectorAll(":scope > th > [data-row-field]")) {
    // a row that is known is moved, removed or put back whatever its revision: no two of these conflict
    if (!field.name.startsWith("row-base:") || isNew(row)) into.append(field.name, field.value);
  }
  if (!row.dataset.removed) return;
  into.append(`row-removed:${row.dataset.row}`, "1");
  const inner = row.nextElementSibling;
  for (const part of [row, inner && inner.dataset.inner === row.dataset.row ? inner : null]) {
    if (part) for (const base of part.querySelectorAll('input[name^="base:"]')) into.append(base.name, base.value);
  }
}

function isNew(row) {
  const base = row.querySelector(':scope > th > input[name^="row-base:"]');
  return Boolean(base) && base.value === "0";
}

function write(name, into) {
  if (name.startsWith("row:")) {
    writeRow(form.querySelector(`[data-row="${CSS.escape(name.slice(4))}"]`), into);
    return;
  }
  const row = name.includes("[") && unitOf(name)?.closest("tr[data-row]");
  if (row && isNew(row)) writeRow(row, into);
  // what a cell held before "not available" was chosen there is not seen any more
  const unseen = unitOf(name)?.closest(".has-state");
  for (const field of fieldsOf(name)) {
    if (field.disabled || field.type === "file" || (unseen && field.name === name)) continue;
    if ((field.type === "radio" || field.type === "checkbox") && !field.checked) continue;
    into.append(field.name, field.value);
  }
  const state = stateAround(name);
  if (state) into.append(`${name}!state`, state.value);
  const base = baseOf(name);
  if (base) into.append(base.name, base.value);
}

function heard(name) {
  const body = new URLSearchParams();
  write(name, body);
  body.delete(`base:${name}`);
  return body.toString();
}

function values(name) {
  return fieldsOf(name)
    .filter((field) => field.name === name && (!/radio|checkbox/.test(field.type) || field.checked))
    .map((field) => field.value);
}

function spoken(name, list) {
  const unit = unitOf(name);
  return list.map((value) => {
    const option = unit && unit.querySelector(`[value="${CSS.escape(value)}"]`);
    if (!option) return value;
    return (option.tagName === "OPTION" ? option : option.closest("label") || option).textContent.trim() || value;
  }).join("\n");
}

function fill(name, list) {
  document.dispatchEvent(new CustomEvent("tamdan:filling", { detail: { name, list } }));
  let place = 0; // a period has two fields of one name, a ranking one for each place
  for (const field of fieldsOf(name)) {
    if (field.name !== name) continue;
    if (/radio|checkbox/.test(field.type)) field.checked = list.includes(field.value);
    else field.value = list[place++] || "";
  }
  document.dispatchEvent(new CustomEvent("tamdan:changed", { detail: name }));
}

const asList = (given) => (Array.isArray(given) ? given : given === null || given === undefined ? [] : [String(given)]);

// --- the words beside the button ------------------------------------------------------------------------------------

function digits(text) {
  return form.dataset.digits === "khmr" ? text.replace(/[0-9]/g, (digit) => String.fromCharCode(0x17e0 + Number(digit))) : text;
}

function clock(iso) {
  if (iso && !/^\d{4}-\d\d-\d\dT/.test(iso)) return digits(String(iso)); // the server has worded it
  const moment = iso ? new Date(iso) : new Date();
  const shape = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
  try {
    return digits(new Intl.DateTimeFormat("en-GB", { ...shape, timeZone: form.dataset.timeZone }).format(moment));
  } catch {
    return digits(new Intl.DateTimeFormat("en-GB", shape).format(moment));
  }
}

function say(state, text) {
  const before = status.dataset.state;
  status.dataset.state = state;
  const kind = state === "offline" && !copy.works ? "offlineOnly" : state;
  const next = text || status.dataset[`words${kind[0].toUpperCase()}${kind.slice(1)}`];
  if (words.textContent !== next) words.textContent = next;
  // spoken: what needs the reader, and that it is over; never each save
  if (TROUBLE.has(state) || (state === "saved" && TROUBLE.has(aloud.dataset.of))) {
    if (aloud.textContent !== next) aloud.textContent = next;
    aloud.dataset.of = state;
  } else if (before !== state && state === "saved") aloud.textContent = "";
}

// never "saved" while something typed or chosen since has not been acknowledged
function settle() {
  copy.later();
  if (stale.size) say("conflict");
  else if (flight) say("saving");
  else if ([...dirty].some((name) => !stale.has(name))) say("typing");
  else if (fresh().length) say("error", fresh().every((place) => place.dataset.fresh === "kept") && status.dataset.wordsKept);
  else if (savedAt) say("saved", withItsDay(savedAt, status.dataset.wordsSaved, savedOn, form.dataset));
  else say("idle");
}

// a page that stays open past midnight: what it says was saved at 23:50 was saved yesterday
setInterval(() => { if (status.dataset.state === "saved") settle(); }, 30000);

// the sentences of what was sent from this page and is not taken; "kept" where it was stored all the same
const fresh = () => [...form.querySelectorAll("[data-error]:not([hidden])[data-fresh]")];

// --- sending --------------------------------------------------------------------------------------------------------

function schedule(wait) {
  clearTimeout(timer);
  if (!stopped) timer = setTimeout(send, wait);
}

const tell = (type, detail) => document.dispatchEvent(new CustomEvent(`tamdan:${type}`, { detail }));

// What tables.js says: these answers or rows changed, these are no longer of interest, this is what a colleague saved.
document.addEventListener("tamdan:dirty", (event) => {
  for (const name of event.detail.names) dirty.add(name);
  typing();
  schedule(event.detail.wait);
});
document.addEventListener("tamdan:forget", (event) => {
  for (const name of event.detail.names) {
    dirty.delete(name);
    if (stale.get(name)?.box) removeBox(stale.get(name).box);
    stale.delete(name);
  }
  if (!dirty.size && !flight) settle();
});
document.addEventListener("tamdan:theirs", (event) => {
  const base = baseOf(event.detail.name);
  if (base) base.value = event.detail.revision;
  if (event.detail.raw) fill(event.detail.name, event.detail.raw);
});

function newKey() {
  if (crypto.randomUUID) return crypto.randomUUID();
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function load() {
  const names = [...dirty].filter((name) => !stale.has(name)).slice(0, AT_ONCE);
  if (!names.length) return null;
  const body = new URLSearchParams();
  for (const name of names) {
    write(name, body);
    if (!name.startsWith("row:")) sentAs.set(name, heard(name));
    dirty.delete(name);
  }
  const key = newKey();
  body.append("request_key", key);
  if (held) body.append("held_post", held); // the server lets go of it when it has taken this
  return { names, body: packed(body), key, tries: 0 };
}

function post(body) {
  const content = new TextEncoder().encode(body);
  return fetch(form.getAttribute("action") || location.href, { // form.action would be the button of that name
    method: "POST",
    headers: { Accept: "application/json", "Content-Type": "application/x-www-form-urlencoded", "X-CSRFToken": form.elements.csrf_token.value },
    body: content,
    credentials: "same-origin",
    keepalive: content.length < 60000,
  });
}

async function send() {
  clearTimeout(timer);
  if (stopped || (flight && flight.busy)) return;
  flight = flight || load();
  if (!flight) return;
  const sent = flight;
  sent.busy = true;
  say(stale.size ? "conflict" : "saving");
  let answer;
  try {
    answer = await post(sent.body);
  } catch {
    again(sent, 0);
    return;
  }
  let told = null;
  try {
    told = await answer.json();
  } catch { /* not JSON: treated below by its status */ }
  if (answer.status === 429 || answer.status >= 500) {
    again(sent, Number(answer.headers.get("Retry-After")) || 0, (answer.status === 507 && told?.title) || status.dataset.wordsBusy);
    return;
  }
  sent.busy = false;
  if (told && [200, 409, 422].includes(answer.status) && (told.saved || told.stale || told.refused)) {
    flight = null;
    if (answer.status === 200) held = "";
    renewed = heldBack = false;
    take(sent, told);
    tell("told", told);
    shareSaved(sent, told);
    if (dirty.size) schedule(0);
    return;
  }
  for (const name of sent.names) {
    dirty.add(name);
    sentAs.delete(name);
  }
  flight = null;
  copy.later();
  // a token that no longer fits: signed out in another tab, and perhaps in again
  if (answer.status === 401 || told?.code === "csrf") {
    ended(told);
    if (answer.status !== 401 && !renewed) comeBack();
    return;
  }
  stopped = true;
  const own = told && told.title && answer.status !== 403 && answer.status !== 404;
  say("denied", own ? told.title : status.dataset.wordsDenied);
}

function again(sent, seconds, sentence = "") {
  sent.busy = false;
  sent.tries += 1;
  copy.later();
  say("offline", sentence);
  const wait = seconds ? seconds * 1000 : Math.min(LONGEST_WAIT, 1000 * 2 ** sent.tries) * (0.75 + Math.random() / 2);
  clearTimeout(retry);
  retry = setTimeout(send, wait);
}

// --- what came back -------------------------------------------------------------------------------------------------

function take(sent, told) {
  for (const one of told.saved || []) {
    const base = baseOf(one.name);
    if (base) base.value = one.revision;
    refuse(one.name, "");
  }
  const kept = new Set((told.saved || []).map((one) => one.name));
  for (const one of told.refused || []) {
    const base = baseOf(one.name); // what cannot be read is kept too, with a revision of its own
    if (base && one.revision !== undefined) base.value = one.revision;
    refuse(one.name, one.message, kept.has(one.name) ? "kept" : "");
  }
  for (const one of told.stale || []) collide(one);
  for (const code of told.hidden || []) showItem(code, false);
  for (const code of told.shown || []) showItem(code, true);
  const count = document.querySelector("[data-missing-count]");
  if (count && told.missing !== undefined && told.missing !== null) {
    const many = Array.isArray(told.missing) ? told.missing.length : told.missing;
    count.textContent = digits(String(many));
  }
  if (told.counts) recount(...told.counts);
  for (const one of told.stale_rows || []) {
    // nothing is called saved while a row waits for the reader's choice; what was written in it is kept until then
    const cells = one.mine.map((cell) => cell.name);
    stale.set(`row:${one.name}`, { cells });
    for (const name of cells) dirty.delete(name);
  }
  if ((told.saved || []).length || !(told.stale || told.refused || []).length) {
    savedAt = status.dataset.wordsSaved.replace("{time}", clock(told.saved_at)) + (told.aside ? ` · ${told.aside}` : "");
    savedOn = new Date();
  }
  settle();
}

// "2 of 5 answered": of this page, and of all
function recount(here, asked, answered, total) {
  const put = (place, some, all) => {
    if (place) place.textContent = digits(status.dataset.wordsAnswered.replace("{answered}", some).replace("{total}", all));
  };
  put(document.querySelector('.steps [aria-current="step"] .step-detail'), here, asked);
  for (const line of document.querySelectorAll("#pages [data-progress]")) {
    put(line.querySelector(".progress-words"), answered, total);
    line.querySelector(".bar-fill").setAttribute("width", total ? (100 * answered) / total : 0);
    line.classList.toggle("is-full", answered >= total);
  }
}

function showItem(code, shown) {
  for (const item of form.querySelectorAll(`[data-item="${CSS.escape(code)}"]`)) item.hidden = !shown;
}

function refuse(name, message, kept = "") {
  const unit = unitOf(name);
  const item = unit && unit.closest("[data-item]");
  const place = item && errorPlace(item, Boolean(message));
  if (!place) return;
  lost[message && !kept ? "add" : "delete"](name);
  place.hidden = !message;
  place.lastElementChild.textContent = message;
  item.classList.toggle("has-error", Boolean(message));
  if (message) place.dataset.fresh = kept;
  else delete place.dataset.fresh;
  for (const field of fieldsOf(name)) {
    if (field.type === "hidden" || field.name !== name) continue;
    if (message) field.setAttribute("aria-invalid", "true");
    else field.removeAttribute("aria-invalid");
  }
}

// --- what the reader does -------------------------------------------------------------------------------------------

function changed(event, wait) {
  if (!event.target.name || event.target.type === "file") return;
  answers(event.target);
  const names = namesOf(event.target).filter((name) => dirty.has(name) || sentAs.get(name) !== heard(name));
  for (const name of namesOf(event.target)) stale.get(name)?.again?.();
  if (!names.length) return;
  for (const name of names) dirty.add(name);
  document.dispatchEvent(new CustomEvent("tamdan:changed"));
  typing();
  schedule(wait);
}

// Whoever writes in a field answers the question: "not available" stands no longer beside it.
function answers(field) {
  const name = field.closest("[data-answer]")?.dataset.answer;
  const says = /radio|checkbox/.test(field.type) ? field.checked : field.value.trim();
  if (field.name !== name || !says || !putState(name, "answered")) return;
  for (const part of besides(name)) dirty.add(part);
}

function typing() {
  copy.later();
  if (!stopped && !flight) say(stale.size ? "conflict" : "typing");
}

form.addEventListener("input", (event) => changed(event, /radio|checkbox|select/.test(event.target.type) ? WAIT_CHOICE : WAIT_TYPING));
form.addEventListener("change", (event) => changed(event, WAIT_CHOICE));
addEventListener("online", () => {
  clearTimeout(retry);
  heldBack = false;
  if (status.dataset.state === "offline" && !flight) settle();
  send();
});
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState !== "hidden") comeBack();
  else {
    copy.now();
    send();
  }
});
addEventListener("focus", () => comeBack());
addEventListener("pagehide", () => { copy.now(); send(); });

const due = () => flight !== null || [...dirty].some((name) => !stale.has(name));
const unsent = () => due() || stale.size + lost.size > 0;

addEventListener("beforeunload", (event) => {
  if (leaving || !unsent()) return;
  send();
  event.preventDefault();
  event.returnValue = "";
});

// A link waits a moment for the save that is due, so that nobody is asked a question for nothing.
document.addEventListener("click", async (event) => {
  const link = event.target.closest("a[href]");
  if (!link || event.defaultPrevented || event.ctrlKey || event.metaKey || event.shiftKey || link.target || link.hash) return;
  if (!unsent() || stopped) return;
  event.preventDefault();
  await quiet(2500);
  location.assign(link.href);
});

async function quiet(most) {
  const end = Date.now() + most;
  send();
  while (due() && !stopped && Date.now() < end && status.dataset.state !== "offline") await new Promise((done) => { setTimeout(done, 50); });
}

form.addEventListener("submit", async (event) => {
  if (leaving) return;
  const button = event.submitter;
  const choice = button?.closest(".conflict");
  if (stopped || (!due() && navigator.onLine && (choice || !stale.size))) {
    leaving = true;
    setTimeout(() => { leaving = false; }, 4000);
    return;
  }
  event.preventDefault();
  await quiet(4000);
  if (!stopped && !heldBack && (!navigator.onLine || status.dataset.state === "offline")) {
    heldBack = true;
    say("offline", status.dataset.wordsHeld);
    return;
  }
  if (stale.size && !choice && !stopped && !heldBack) {
    showChoice();
    return;
  }
  leaving = true;
  await new Promise((done) => { setTimeout(done); }); // a form is not sent while its submit event is still going round
  form.requestSubmit(button);
  setTimeout(() => { leaving = false; }, 4000);
});

// --- small things ---------------------------------------------------------------------------------------------------

const segmenter = Intl.Segmenter ? new Intl.Segmenter(form.dataset.language, { granularity: "word" }) : null;
function countWords(text) {
  if (!segmenter) return text.split(/[\s\u200b]+/).filter(Boolean).length;
  let total = 0;
  for (const part of segmenter.segment(text)) if (part.isWordLike) total += 1;
  return total;
}

for (const area of form.querySelectorAll("textarea[data-words]")) {
  const place = area.closest(".question").querySelector("[data-word-count]");
  const budget = Number(area.dataset.words);
  const plain = place.textContent;
  const show = () => {
    const many = countWords(area.value);
    place.textContent = many ? `${digits(String(many))} / ${digits(String(budget))}` : plain;
    place.setAttribute("title", plain);
    place.classList.toggle("is-over", many > budget);
  };
  area.addEventListener("input", show);
  document.addEventListener("tamdan:changed", show);
  show();
}

// What was typed while this script was still on its way counts as typed now. The form restores nothing by itself
// (autocomplete="off"), so what differs from what the page came with was typed. A browser empties what does not fit a
// field of a number or a date: those wait for the next key.
function typedBefore(field) {
  if (/radio|checkbox/.test(field.type)) return field.checked !== field.defaultChecked;
  if (field.type === "select-one") return field.selectedIndex !== Math.max(0, [...field.options].findLastIndex((one) => one.defaultSelected));
  return /^text/.test(field.type) && field.value !== field.defaultValue;
}
for (const field of form.elements) {
  if (namesOf(field).length && typedBefore(field)) field.dispatchEvent(new Event("input", { bubbles: true }));
}

// what was kept may belong into a table that is still to come
const arrived = form.dataset.later ? laterTables() : null;
adopt();
if (arrived) arrived.then(recover);
else recover();
const colleagues = document.querySelector("[data-here]");
if (colleagues) sayWhoIsHere(colleagues, () => form.elements.csrf_token.value, ended);

// Text fields grow with the text, up to most of the screen.
const grow = (area) => {
  const rows = Math.min(24, Math.max(Number(area.dataset.rows), Math.ceil((area.scrollHeight - 16) / parseFloat(getComputedStyle(area).lineHeight))));
  if (rows > area.rows) area.rows = rows;
};
for (const area of form.querySelectorAll("textarea:not([data-cell])")) {
  area.dataset.rows = area.rows;
  area.addEventListener("input", () => grow(area));
  if (area.value) grow(area);
}

for (const button of form.querySelectorAll("[data-clears]")) {
  const radios = button.closest("fieldset").querySelectorAll(".options input");
  const show = () => { button.hidden = ![...radios].some((radio) => radio.checked); };
  button.addEventListener("click", () => {
    for (const radio of radios) radio.checked = false;
    show();
    radios[0].dispatchEvent(new Event("change", { bubbles: true }));
    radios[0].focus();
  });
  form.addEventListener("change", show);
  show();
}

for (const button of form.querySelectorAll("[data-picks]")) {
  const field = document.getElementById(button.dataset.picks);
  const picker = calendarBehind(button);
  if (!picker) continue;
  button.hidden = false;
  button.addEventListener("click", () => {
    openCalendar(picker, field);
  });
  picker.addEventListener("input", (event) => event.stopPropagation());
  picker.addEventListener("change", (event) => {
    event.stopPropagation();
    field.value = picker.value;
    field.dispatchEvent(new Event("change", { bubbles: true }));
    field.focus();
  });
}

// Signing out removes what this device keeps (portal.js): first what is due is sent, then its writer is asked.
document.addEventListener("tamdan:signing-out", (event) => {
  event.detail.push(quiet(stopped ? 0 : 2500).then(() => copy.now()).then(unsent));
});
document.addEventListener("tamdan:signs-out", () => { leaving = true; });

// What uploads.js brought is shown by reading the page again; the answers are saved first.
document.addEventListener("tamdan:uploaded", async (event) => {
  event.preventDefault();
  await quiet(4000);
  // another file was chosen meanwhile: asked again once it has come; or what was refused could not be kept
  if (event.detail.underWay() || !event.detail.keepRefused()) return;
  leaving = !unsent();
  location.reload();
});
