// What respond.js asks of the local copy, of other tabs and of a new session. Its names are those of respond.js.

// Posts carry letters as they are: percent signs would make three bytes of Khmer into nine.
function packed(pairs) {
  const plain = (text) => text.toWellFormed ? text.toWellFormed() : text;
  const sign = (one) => (one === " " ? "+" : /[\w.~*-]/.test(one) ? one : `%${one.charCodeAt(0).toString(16).padStart(2, "0").toUpperCase()}`);
  const pack = (text) => plain(text).replace(/\r?\n/g, "\r\n").replace(/[\0-\x7f]/g, sign);
  return [...pairs].map(([name, value]) => `${pack(name)}=${pack(value)}`).join("&");
}

// Comparing and joining texts is loaded when it is needed first.
async function compared() {
  if (!globalThis.tamdanTexts) await import(form.dataset.texts);
  return globalThis.tamdanTexts;
}

// What the server has not said it has: {path, title, flight: body or "", names: {name: [[field, value]]}, labels: {name: words}}.
function unsaved() {
  const names = {};
  const labels = {};
  const rows = [...stale.values()];
  for (const name of [...(flight ? flight.names : []), ...dirty, ...lost, ...stale.keys(), ...rows.flatMap((one) => one.cells || [])]) {
    if (names[name] || stale.get(name)?.removed || (!name.startsWith("row:") && !unitOf(name))) continue;
    const body = new URLSearchParams();
    write(name, body);
    names[name] = [...body];
    labels[name] = labelOf(name);
    const mended = stale.get(name)?.mended?.();
    if (mended) names[name].push([`merged:${name}`, mended]);
  }
  for (const { removed } of rows.filter((one) => one.removed)) {
    for (const [name, fields, label] of inRemovedRow(removed)) [names[name], labels[name]] = [fields, label];
  }
  const all = Object.keys(names);
  if (!all.length) return null;
  const title = [...document.querySelectorAll(".recommendation-cite, h1")].map((one) => one.textContent.trim()).reverse().join(" · ");
  return { path: location.pathname, title, flight: flight ? flight.body : "", names, labels };
}

// What is read of an element: without its buttons, and without the mark that an answer is required.
function wordsOnly(place) {
  const plain = place.cloneNode(true);
  for (const one of plain.querySelectorAll(".question-required, .row-fold, button, input")) one.remove();
  return plain.textContent.replace(/\s+/g, " ").trim();
}

function wordingOf(item) {
  const place = item.querySelector(".question-text") || item.querySelector("label, legend");
  return place ? wordsOnly(place) : "";
}

function labelOf(name) {
  const unit = name.startsWith("row:") ? form.querySelector(`[data-row="${CSS.escape(name.slice(4))}"]`) : unitOf(name);
  const item = unit && unit.closest("[data-item]");
  if (!item) return "";
  const cell = item.closest("td[data-label]");
  if (!cell) return wordingOf(item);
  // a cell alone says little: its table, and the row as the page counts it
  const row = cell.closest("tr[data-row]");
  const head = row && row.querySelector(":scope > .row-head");
  return [row && wordingOf(row.closest("[data-item]")), head && wordsOnly(head), cell.dataset.label].filter(Boolean).join(" · ");
}

const own = (name, pairs) => pairs.filter(([field]) => field === name || field.startsWith(`${name}!`));
const baseIn = (name, pairs) => Number((pairs.find(([field]) => field === `base:${name}`) || [])[1] || 0);

function putBack(name, pairs) {
  const left = own(name, pairs);
  fill(name, left.filter(([field]) => field === name).map((pair) => pair[1])); // tells who listens, too
  for (const field of fieldsOf(name)) {
    if (field.name === name || field.type === "hidden") continue;
    if (/radio|checkbox/.test(field.type)) field.checked = left.some(([one, value]) => one === field.name && value === field.value);
    else {
      const at = left.findIndex(([one]) => one === field.name);
      if (at >= 0) field.value = left.splice(at, 1)[0][1];
    }
  }
  const fold = unitOf(name)?.closest("details");
  if (fold) fold.open = true;
}

// After a page was closed over unsaved text, see conflict.js.
async function recover() {
  const records = await copy.found();
  if (!records.length) return;
  const { recoverKept } = await compared();
  const leave = async () => { await quiet(2500); leaving = true; location.reload(); };
  const arrived = (told) => { take({ names: [] }, told); tell("told", told); };
  recoverKept(records, {
    form, copy, dirty, stale, unitOf, fieldsOf, baseOf, heard, putBack, own, baseIn, packed, newKey, post, collide, settle, schedule, spoken, values, labelOf, arrived, dayAndTime, leave,
  });
}

// --- other tabs of the same person ----------------------------------------------------------------------------------

const tabs = globalThis.BroadcastChannel ? new BroadcastChannel("tamdan") : { postMessage() {} };

function shareSaved(sent, told) {
  if (!copy.whose || !(told.saved || []).length) return;
  tabs.postMessage({ type: "saved", whose: copy.whose, path: location.pathname, saved: told.saved, body: sent.body, words: savedAt });
}

tabs.onmessage = (event) => {
  const { type, whose, path, saved, body, words: when } = event.data;
  if (type === "signed-in") comeBack();
  if (type === "signed-out") copy.end();
  if (type !== "saved" || whose !== copy.whose || path !== location.pathname) return;
  const pairs = [...new URLSearchParams(body)];
  for (const { name, revision } of saved) {
    const busy = dirty.has(name) || stale.has(name) || (flight && flight.names.includes(name));
    if (busy || !unitOf(name) || !baseOf(name) || !pairs.some(([field]) => own(name, [[field]]).length)) continue;
    putBack(name, pairs);
    baseOf(name).value = revision;
    sentAs.set(name, heard(name));
    refuse(name, "");
    savedAt = when;
    savedOn = new Date();
  }
  settle();
};

// --- a session that ended -------------------------------------------------------------------------------------------

function ended(told) {
  if (stopped) return;
  stopped = awaited = true;
  held = (told && told.held_post) || held;
  say("ended");
  const places = form.querySelectorAll("[data-signin]");
  // the whole form is posted once more: the server keeps it for the same person until after sign-in
  for (const one of places) one.hidden = one.tagName === "BUTTON" && told?.code !== "session_expired";
}

async function comeBack() {
  if (!awaited || !form.dataset.keys) return;
  let told;
  try {
    const answer = await fetch(form.dataset.keys, { headers: { Accept: "application/json" }, credentials: "same-origin" });
    if (!answer.ok) return;
    told = await answer.json();
  } catch {
    return;
  }
  if (told.keeps !== form.dataset.keeps) {
    say("denied", status.dataset.wordsOther);
    return;
  }
  renewed = true;
  for (const field of document.querySelectorAll("input[name=csrf_token]")) field.value = told.csrf;
  for (const one of form.querySelectorAll("[data-signin]")) one.hidden = true;
  stopped = awaited = false;
  settle();
  send();
}
