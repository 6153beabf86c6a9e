// bundle: expressions.js engine.js offers.js wording.js refusing.js
// Applies the rules of the questionnaire while somebody answers, before the server has spoken; the server always decides.
// The form names them in data-rules and says in data-known what is answered on other pages and not shown here:
// {now, values: {"code" or "code[row]": text}, rows: {table: [[key, parent key]]}, hidden: ["code" or "code[row]"]}.
//
// What is looked for on the page: [data-item="NAME"] shows and hides a question, group, page, table or cell, NAME being
// "code", "code[row]" for a cell, "table[row]" for a table in a row; "code" of a column means its heading.
// [data-computed="NAME"] and [data-value-of="NAME"] show a computed value, [data-total="column[row of the table around]"] a
// sum. [data-wording] and [data-says]: see wording.js. Rows come from the hidden fields row:TABLE[KEY] and row-parent:TABLE[KEY]; "tamdan:rows" says that they changed.

const form = document.querySelector("form[data-rules]");
const KHMER = form !== null && form.dataset.digits === "khmr"; // asked once: a form looks among its fields' names first
const ROW_FIELD = /^row:([^[\]]+)\[([^\]]+)\]$/;

class Page {
  constructor(rules, known) {
    this.rules = rules;
    this.known = { values: {}, rows: {}, hidden: [], ...known };
    this.engine = new Engine(rules, { today: form.dataset.today, now: this.known.now });
    this.live = new Set(); // names whose error this script shows
    this.left = false; // has the reader left the field that changed?
    this.rebuild();
  }

  // reads the whole page anew: after rows went or changed places
  rebuild() {
    this.fields = new Map();
    this.items = new Map();
    this.outputs = new Map();
    this.totals = new Map();
    this.rows = {};
    this.read(form, form.elements);
    this.place();
    this.believe();
    if (this.seen) this.begin();
    this.seen = new Set(this.frames().map(([name]) => name));
    this.wording = new Wording(this.engine);
    this.wording.read(form, new Map(this.frames()));
    this.show(this.engine.compute((code, row) => this.answer(code, row)));
  }

  // reads what came: rows at the end of their tables
  grow(added) {
    for (const element of added) this.read(element, element.querySelectorAll("input, select, textarea"));
    this.place();
    this.begin();
    const frames = new Map(this.frames());
    const fresh = new Set([...frames].filter(([name]) => !this.seen.has(name)).map(([, frame]) => frame));
    const tables = new Set([...fresh].map((frame) => frame.table));
    this.seen = new Set(frames.keys());
    for (const element of added) this.wording.read(element, frames);
    const codes = new Set([...this.engine.homes].filter(([code, home]) => tables.has(home) || tables.has(code)).map(([code]) => code));
    // rules of other rows may count this one, but what is written there has not changed: it is not read again
    this.show(this.engine.compute((code, row) => {
      const frame = row && this.engine.frame(code, row);
      const kept = frame && !fresh.has(frame) && !frame.hidden.has(code) && !this.engine.missing.has(code) ? frame.values.get(code) : undefined;
      return kept ?? this.answer(code, row);
    }, codes));
  }

  read(root, fields) {
    const group = (map, key, element) => { if (map.has(key)) map.get(key).push(element); else map.set(key, [element]); };
    for (const field of fields) {
      const row = ROW_FIELD.exec(field.name || "");
      if (row) this.row(row, field);
      if (!field.name || /[!:]/.test(field.name) || field.type === "file") continue;
      group(this.fields, field.name.split("@")[0], field);
    }
    for (const element of root.querySelectorAll("[data-item]")) group(this.items, element.dataset.item, element);
    for (const element of root.querySelectorAll("[data-computed], [data-value-of]")) group(this.outputs, element.dataset.computed || element.dataset.valueOf, element);
    for (const element of root.querySelectorAll("[data-total]")) group(this.totals, element.dataset.total, element);
    for (const table of root.querySelectorAll("[data-table]:not([data-fixed])")) this.rows[table.dataset.table] ||= [];
  }

  place() {
    const rows = { ...this.known.rows };
    for (const [table, found] of Object.entries(this.rows)) rows[table] = found.sort((one, other) => one[2] - other[2]).map(([key, parent]) => [key, parent]);
    this.engine.place(rows);
  }

  row([, table, key], field) {
    if (field.closest("[data-removed]")) return;
    // beside it: the names of a form's fields are gathered anew whenever one came
    const parent = [...field.parentElement.children].find((one) => one.name === `row-parent:${table}[${key}]`);
    (this.rows[table] ||= []).push([key, parent ? parent.value : "", Number(field.value) || 0]);
  }

  frames() {
    return [...this.engine.of].flatMap(([table, frames]) => frames.map((frame) => [`${table}[${frame.key}]`, frame]));
  }

  // gives the cells of a row that was added here what they begin with, as the next save will
  begin() {
    for (const [name, frame] of this.frames()) {
      if (this.seen.has(name)) continue;
      for (const [code, tree] of Object.entries(this.rules.defaults)) {
        if (this.engine.homes.get(code) !== frame.table) continue;
        const fields = this.fields.get(`${code}[${frame.key}]`) || [];
        const field = fields.find((one) => !one.name.includes("@") || one.name.endsWith(`@${this.rules.default_language}`));
        if (!field || /radio|checkbox/.test(field.type) || fields.some((one) => one.value)) continue;
        try {
          const begun = text(this.engine.run(tree, code, frame.key));
          field.value = this.rules.kinds[code] === "date" ? formatDate(begun, "%d/%m/%Y") : begun;
        } catch (trouble) {
          if (!(trouble instanceof Unknown)) throw trouble;
        }
      }
    }
  }

  // before anything is computed, what the server said is hidden is hidden
  believe() {
    const hidden = new Set(this.known.hidden);
    for (const [table, frames] of this.engine.of) {
      for (const frame of frames) {
        for (const [code, home] of this.engine.homes) {
          if (home === table && (hidden.has(code) || (frame.key && hidden.has(`${code}[${frame.key}]`)))) frame.hidden.add(code);
        }
      }
    }
    for (const [code, elements] of this.items) {
      const frame = this.engine.frame(code);
      if (frame && !this.engine.homes.get(code)) frame.hidden[elements[0].hidden ? "add" : "delete"](code);
    }
  }

  // what expressions read: the page's own answer, else what the server said of it
  answer(code, row) {
    const name = row ? `${code}[${row}]` : code;
    const fields = this.fields.get(name);
    if (!fields) return this.known.values[name] ?? (this.rules.asked.includes(code) ? "" : undefined);
    // looked for beside the answer, never on the whole page: a table has thousands of fields
    const state = fields[0].closest("[data-item]")?.querySelector('input[name$="!state"]:checked, select[name$="!state"]');
    if (state && state.value !== "answered") return "";
    const kind = this.rules.kinds[code];
    if (kind === "server") return fields.some(altered) ? null : this.known.values[name] ?? "";
    const chosen = [];
    for (const field of fields) {
      if (/radio|checkbox/.test(field.type)) {
        if (field.checked) chosen.push(field.value);
      } else if (field.tagName === "SELECT" && field.multiple) {
        chosen.push(...[...field.selectedOptions].map((option) => option.value));
      } else if (field.value.trim() && fields.length > 1 && field.tagName === "SELECT") {
        chosen.push(field.value); // a ranking: one list per place
      } else if (field.value.trim()) {
        return kind === "number" ? readNumber(field.value) : kind === "date" ? readDate(field.value) : field.value.trim();
      }
    }
    return chosen.join(" ");
  }

  changed(names) {
    const codes = new Set(names.map((name) => name.split("[")[0]).filter((code) => this.engine.homes.has(code)));
    if (!codes.size) return;
    const gone = this.engine.compute((code, row) => this.answer(code, row), codes);
    this.show(gone, codes);
  }

  // brings the page in line with what was computed; `typed` are the codes that the reader has just changed
  show(codes, typed = new Set()) {
    for (const code of codes) {
      const home = this.engine.homes.get(code);
      for (const frame of this.engine.of.get(home) || []) {
        const name = frame.key ? `${code}[${frame.key}]` : code;
        for (const element of this.items.get(name) || []) hide(element, frame.hidden.has(code));
        for (const output of this.outputs.get(name) || []) say(output, frame.values.get(code) ?? "");
        if (!typed.size) continue;
        this.judge(code, name, frame);
      }
      if (home) this.column(code, home);
    }
    this.wording.renew(codes);
    for (const [watcher, names] of Object.entries(this.rules.watches)) {
      if (!codes.includes(watcher) && !names.some((name) => codes.includes(name))) continue;
      for (const frame of this.engine.of.get(this.engine.homes.get(watcher)) || []) {
        const name = frame.key ? `${watcher}[${frame.key}]` : watcher;
        this.offer(watcher, name, frame);
        if (typed.size) this.judge(watcher, name, frame);
      }
    }
  }

  // the heading of a column and its sums
  column(code, table) {
    const frames = this.engine.of.get(table) || [];
    if (frames.length && !this.engine.tables.has(code)) {
      const gone = frames.every((frame) => frame.hidden.has(code));
      for (const element of this.items.get(code) || []) hide(element, gone);
    }
    for (const up of new Set(frames.map((frame) => frame.up))) {
      for (const output of this.totals.get(`${code}[${up.key}]`) || []) {
        const values = (up.below.get(table) || []).filter((frame) => !frame.hidden.has(code)).map((frame) => frame.values.get(code) ?? "");
        const sum = numbers(values).filter((one) => !Number.isNaN(one)).reduce((total, one) => total + one, 0);
        say(output, values.some((value) => value !== "") ? text(Math.round(sum * 1e6) / 1e6) : "");
      }
    }
  }

  // says at once that an answer breaks the question's rule; takes back only what it said itself
  judge(code, name, frame) {
    const fields = this.fields.get(name);
    const value = frame.values.get(code) ?? "";
    if (!fields || !(code in this.rules.messages)) return;
    const verdict = value === "" || frame.hidden.has(code) ? true : this.engine.judge(code, "constraint", frame.key, value);
    if (verdict === undefined) return;
    const place = fields[0].closest("[data-item]");
    const error = place && errorPlace(place, !truth(verdict));
    if (!error) return;
    if (truth(verdict)) {
      if (!this.live.delete(name)) return;
      error.hidden = true;
      fields.forEach((field) => field.removeAttribute("aria-invalid"));
    } else {
      // nobody is told off in the middle of a word: the first time, only once the field is left
      if (!this.left && !this.live.has(name) && fields.includes(document.activeElement)) return;
      this.live.add(name);
      (error.lastElementChild || error).textContent = this.message(code, frame);
      error.hidden = false;
      fields.forEach((field) => field.setAttribute("aria-invalid", "true"));
    }
  }

  message(code, frame) {
    return spoken(this.rules.messages[code], this.engine, frame) ?? this.rules.messages[code];
  }

  // leaves only the choices that fit the other answers; `said` is what the server said of a rule that only it can judge
  offer(code, name, frame, said = null) {
    const choices = this.rules.filtered[code];
    const keys = choices && !frame.hidden.has(code) && (this.engine.offered(code, frame.key, choices) || said);
    const item = (this.items.get(name) || [])[0];
    if (!keys || !item) return;
    this.join(name, leave(item, name, choices, new Set(keys)));
    if (choices.some((choice) => choice.label.includes("${"))) this.wording.heed(item, frame);
  }

  join(name, added) {
    if (added.length) this.fields.set(name, [...(this.fields.get(name) || []), ...added]);
  }

  // offered: {"code" or "code[row]": [keys]}
  told(offered) {
    for (const [name, keys] of Object.entries(offered)) {
      const [code, row = ""] = name.replace("]", "").split("[");
      const frame = this.engine.frame(code, row);
      if (frame) this.offer(code, name, frame, keys);
    }
  }

  // a colleague's answer may be a choice that was not on offer here
  fill(name, keys) {
    const choices = this.rules.filtered[name.split("[")[0]];
    const item = (this.items.get(name) || [])[0];
    if (choices && item) this.join(name, complete(item, name, choices, new Set(keys)));
  }
}

function latin(value) {
  return value.replace(/[\u17e0-\u17e9]/g, (digit) => String(digit.charCodeAt(0) - 0x17e0)).replace(/[\u200b-\u200d\u2060\ufeff]/g, "");
}

// as forms/reading.py reads it; what the server would not read has no value
function readNumber(value) {
  const khmer = /[\u17e0-\u17e9]/.test(value);
  const bare = latin(value).replace(/\s/g, "").replace("\u2212", "-").replace(/%$/, "");
  const grouped = /^[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d+)?$/.test(bare) && !khmer;
  const plain = /^[+-]?(\d+(\.\d+)?|\.\d+)$/.test(bare) && !/^[+-]?[1-9]\d{0,2}\.\d{3}$/.test(bare);
  if (!grouped && !plain) return "";
  const [, sign, whole, , decimals = ""] = /^([+-]?)0*(\d*)(\.(\d*?)0*)?$/.exec(bare.replace(/,/g, ""));
  const written = (whole || "0") + (decimals ? `.${decimals}` : "");
  return sign === "-" && written !== "0" ? `-${written}` : written;
}

function readDate(value) {
  const bare = latin(value).trim();
  const found = /^(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})$/.exec(bare);
  const iso = found ? `${found[3]}-${found[2].padStart(2, "0")}-${found[1].padStart(2, "0")}` : bare;
  return Number.isNaN(days(iso)) ? "" : iso;
}

const hide = (element, hidden) => { if (element.hidden !== hidden) element.hidden = hidden; };

function altered(field) {
  if (/radio|checkbox/.test(field.type)) return field.checked !== field.defaultChecked;
  if (field.tagName === "SELECT") return [...field.options].some((option) => option.selected !== option.defaultSelected) && field.value !== "";
  return field.value !== field.defaultValue;
}

function say(output, value) {
  if (!value && output.dataset.valueOf) value = "–";
  const written = KHMER ? value.replace(/[0-9]/g, (digit) => String.fromCharCode(0x17e0 + Number(digit))) : value;
  if (output.textContent !== written) output.textContent = written;
}

async function begin() {
  const answer = await fetch(form.dataset.rules, { headers: { Accept: "application/json" }, credentials: "same-origin" }).catch(() => null);
  if (!answer || !answer.ok) return;
  const page = new Page(await answer.json(), JSON.parse(form.dataset.known || "{}"));
  const heard = (event) => {
    const name = event.target.name ? event.target.name.split(/[@!]/)[0] : "";
    page.left = event.type === "change";
    if (name && !/:/.test(name)) page.changed([name]);
  };
  form.addEventListener("input", heard);
  form.addEventListener("change", heard);
  let due = null; // many rows may come at once
  document.addEventListener("tamdan:rows", (event) => {
    const added = event.detail && event.detail.added;
    if (!due) {
      requestAnimationFrame(() => {
        const { anew, came } = due;
        due = null;
        if (anew || came.some((one) => !one.isConnected)) page.rebuild();
        else page.grow(came);
      });
    }
    due ||= { anew: false, came: [] };
    if (added) due.came.push(...added);
    else due.anew = true;
  });
  document.addEventListener("tamdan:dirty", (event) => page.changed(event.detail.names.filter((name) => !name.includes(":")).map((name) => name.split("@")[0])));
  document.addEventListener("tamdan:told", (event) => page.told(event.detail.offered || {}));
  document.addEventListener("tamdan:filling", (event) => page.fill(event.detail.name, event.detail.list));
  // an answer was put in by script: a colleague's, say
  document.addEventListener("tamdan:changed", (event) => { if (event.detail) page.changed([event.detail.split("@")[0]]); });
}

if (form) begin();
