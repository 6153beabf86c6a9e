// What respond.js asks of the local copy, of other tabs and of a new session. Its names are those of respond.js.

// Posts carry letters as they are: percent signs would make three bytes of Khmer into nine.
function packed(pairs) {
  const plain = (text) => text.toWellFormed ? text.toWellFormed() : text;
  const sign = (one) => (one === " " ? "+" : /[\w.~*-]/.test(one) ? one : `%${one.charCodeAt(0).toString(16).padStart(2, "0").toUpperCase()}`);
  const pack = (text) => plain(text).replace(/\r?\n/g, "\r\n").replace(/[\0-\x7f]/g, sign);
  return [...pairs].map(([name, value]) => `${pack(name)}=${pack(value)}`).join("&");
}

// What the server has not said it has: {path, title, flight: body or "", names: {name: [[field, value]]}, labels: {name: words}}.
function unsaved() {
  const names = {};
  for (const name of [...(flight ? flight.names : []), ...dirty, ...stale]) {
    if (names[name] || (!name.startsWith("row:") && !unitOf(name))) continue;
    const body = new URLSearchParams();
    write(name, body);
    names[name] = [...body];
  }
  const all = Object.keys(names);
  if (!all.length) return null;
  const title = [...document.querySelectorAll(".recommendation-cite, h1")].map((one) => one.textContent.trim()).reverse().join(" · ");
  return { path: location.pathname, title, flight: flight ? flight.body : "", names, labels: Object.fromEntries(all.map((name) => [name, labelOf(name)])) };
}

function labelOf(name) {
  const unit = name.startsWith("row:") ? form.querySelector(`[data-row="${CSS.escape(name.slice(4))}"]`) : unitOf(name);
  const item = unit && unit.closest("[data-item]");
  const place = item && item.querySelector(".question-text, label, legend");
  return (item && item.dataset.label) || (place ? (place.firstChild || place).textContent.trim() : "");
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

function isShown(name, pairs) {
  const now = new URLSearchParams(heard(name));
  return packed(own(name, [...now])) === packed(own(name, pairs));
}

// After a page was closed over unsaved text: what the server has already goes, what it has something newer for is shown
// as a conflict, the rest is offered.
async function recover() {
  const place = document.querySelector("[data-recovered]");
  const lines = [];
  const records = await copy.found();
  for (const { id, at, kept } of records) {
    const sent = await landed(kept);
    const orphans = [];
    for (const [name, pairs] of Object.entries(kept.names)) {
      const base = sent.get(name) ?? baseIn(name, pairs);
      if (name.startsWith("row:") || !unitOf(name)) orphans.push(name);
      else if (dirty.has(name) || isShown(name, pairs)) continue; // written anew meanwhile, or there already
      else if (base === Number(baseOf(name)?.value || 0)) lines.push(offered(name, at, kept, pairs));
      else await meet(name, pairs, base);
    }
    if (orphans.length) lines.push(offeredRows(orphans, at, kept));
  }
  const done = async () => {
    await copy.now(); // what was taken is kept for this page before the old record goes
    for (const { id } of records) await copy.drop(id);
  };
  if (records.length) offerKept(place, lines, form.dataset.language, whenKept, done);
}

function whenKept(at) {
  const shape = { dateStyle: "medium", timeStyle: "short", hourCycle: "h23" };
  try {
    return digits(new Intl.DateTimeFormat(form.dataset.language, { ...shape, timeZone: form.dataset.timeZone }).format(at));
  } catch {
    return digits(new Intl.DateTimeFormat("en-GB", shape).format(at));
  }
}

// What was on its way when the page closed may have arrived: sent once more under its key, it is told which revision it
// became. Only where the page shows a newer revision, so that nothing is saved that its writer was not asked about.
async function landed(kept) {
  const found = new Map();
  const sent = [...new URLSearchParams(kept.flight)];
  const moved = Object.keys(kept.names).some((name) => {
    const base = sent.find(([field]) => field === `base:${name}`);
    return base && unitOf(name) && base[1] !== baseOf(name)?.value;
  });
  if (!moved) return found;
  const told = await ask(kept.flight);
  for (const one of told?.saved || []) found.set(one.name, one.revision);
  for (const one of told?.refused || []) if (one.revision !== undefined) found.set(one.name, one.revision);
  return found;
}

// The server has a newer revision than this text was written on: it says whether the two differ.
async function meet(name, pairs, base) {
  const told = await ask(packed([...own(name, pairs), [`base:${name}`, String(base)], ["request_key", newKey()]]));
  const one = (told?.stale || []).find((each) => each.name === name);
  if (!one) return;
  putBack(name, pairs);
  baseOf(name).value = base;
  collide(one);
  settle();
}

async function ask(body) {
  try {
    const answer = await post(body);
    return await answer.json();
  } catch {
    return null;
  }
}

function offered(name, at, kept, pairs) {
  const own_ = own(name, pairs).filter(([field]) => field === name).map((pair) => pair[1]);
  return {
    label: labelOf(name) || kept.labels[name],
    at,
    kept: spoken(name, own_),
    now: spoken(name, values(name)),
    take: () => {
      putBack(name, pairs);
      dirty.add(name);
      schedule(0);
      settle();
    },
  };
}

// Rows that were added, moved or removed: sent as they were, then the page is read again.
function offeredRows(names, at, kept) {
  const pairs = names.flatMap((name) => kept.names[name]);
  const known = new Set();
  const once = pairs.filter(([name, value]) => {
    const key = `${name}=${value}`;
    return !known.has(key) && known.add(key);
  });
  const shown = pairs.filter(([name, value]) => value && names.includes(name)).map((pair) => pair[1]);
  return {
    label: [...new Set(names.map((name) => kept.labels[name]).filter(Boolean))].join(", "),
    at,
    kept: shown.join("\n"),
    now: "",
    take: async () => {
      const told = await ask(packed([...once, ["request_key", newKey()]]));
      if (told && (told.stale_rows || []).length) tell("told", told);
      else if (told) {
        await quiet(2500);
        leaving = true;
        location.reload();
      }
    },
  };
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
  }
  settle();
};

// --- a session that ended -------------------------------------------------------------------------------------------

function ended(told) {
  if (stopped) return;
  stopped = true;
  held = (told && told.held_post) || held;
  say("ended");
  const places = form.querySelectorAll("[data-signin]");
  // the whole form is posted once more: the server keeps it for the same person until after sign-in
  for (const one of places) one.hidden = one.tagName === "BUTTON" && told?.code !== "session_expired";
}

async function comeBack() {
  if (!stopped || status.dataset.state !== "ended") return;
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
  stopped = false;
  settle();
  send();
}
