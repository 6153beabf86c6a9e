// bundle: calendar.js pasting.js cards.js
// Tables of the answering page: rows are added, moved, removed and put back at once, each cell saves by itself (the work of
// respond.js), and cells copied in Excel can be pasted. Without this script the buttons post the page.

const form = document.querySelector("form[data-autosave]");
const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const TICKS = new Set(["x", "✓", "✔", "1", "yes", "true", "ok", "បាទ", "ចាស", "មាន"]);

const tell = (type, detail) => document.dispatchEvent(new CustomEvent(`tamdan:${type}`, { detail }));
const dirty = (names, wait = 150) => { if (names.length) tell("dirty", { names, wait }); };
// asked once: a property of a form is looked for among the names of all its fields first, anew whenever one came
const KHMER = form.dataset.digits === "khmr";
const digits = (text) => (KHMER ? String(text).replace(/[0-9]/g, (one) => String.fromCharCode(0x17e0 + Number(one))) : String(text));

function newKey() {
  let key = "";
  while (key.length < 16) {
    for (const byte of crypto.getRandomValues(new Uint8Array(32))) if (byte < 248 && key.length < 16) key += LETTERS[byte % 62];
  }
  return key;
}

// --- what a row is --------------------------------------------------------------------------------------------------

const allRows = (table) => [...table.tBodies[0].children].filter((one) => one.dataset.row);
const rows = (table) => allRows(table).filter((row) => !row.dataset.removed);
// by hand, not by a selector: a row that comes asks it of every row
function field(row, kind) {
  for (const one of row.firstElementChild.children) if (one.name && one.name.startsWith(`${kind}:`)) return one;
  return null;
}
const baseOf = (row) => Number(field(row, "row-base")?.value || 0);
const innerOf = (row) => {
  const next = row.nextElementSibling;
  return next && next.dataset.inner === row.dataset.row ? next : null;
};
const within = (row) => [row, innerOf(row)].filter(Boolean);
const rowNamed = (name) => form.querySelector(`[data-row="${CSS.escape(name)}"]`);
const statusOf = (table) => table.closest("fieldset").querySelector(":scope > .table-acts > [data-row-words]");
const cellsOf = (row) => [...row.children].filter((one) => one.tagName === "TD" && !one.hidden && !one.classList.contains("row-acts"));
const names = (row) => within(row).flatMap((one) => [...one.querySelectorAll("[data-answer]")].map((unit) => unit.dataset.answer));

function say(table, text) {
  const place = statusOf(table);
  if (place) place.textContent = text;
}

function renumber(table) {
  const standing = rows(table);
  standing.forEach((row, at) => number(table, row, at + 1));
  tell("rows");
  limit(table, standing);
}

function number(table, row, place) {
  const words = table.tHead.querySelector(".row-acts")?.textContent.trim() || "";
  const shown = row.firstElementChild.querySelector("[data-number]");
  const text = digits(place);
  if (shown.textContent === text) return;
  shown.textContent = text;
  row.querySelector(":scope > .row-acts summary")?.setAttribute("aria-label", `${words} ${text}`);
}

function limit(table, standing) {
  const button = table.closest("fieldset").querySelector(":scope > .table-acts > [data-row-act]");
  if (!button) return;
  const full = standing.length >= Number(table.dataset.most);
  button.hidden = full;
  if (full) say(table, table.dataset.full);
}

const lastPlace = (table) => Math.max(0, ...allRows(table).map((row) => Number(field(row, "row")?.value || 0)));

function add(table, count = 1) {
  const template = table.closest("fieldset").querySelector(":scope > template[data-blank]");
  if (!template) return [];
  const code = table.dataset.table;
  const room = Math.max(0, Number(table.dataset.most) - rows(table).length);
  const made = [];
  let place = lastPlace(table);
  const blank = template.innerHTML;
  for (let number = 0; number < Math.min(count, room); number += 1) {
    const holder = document.createElement("template");
    holder.innerHTML = blank.replaceAll(`{${code}}`, newKey());
    const row = holder.content.querySelector("tr");
    place += 1;
    field(row, "row").value = place;
    table.tBodies[0].append(holder.content);
    made.push(row);
  }
  // those before keep their numbers: what a new row costs does not grow with the table
  const standing = rows(table);
  made.forEach((row, at) => number(table, row, standing.length - made.length + at + 1));
  tell("rows", { added: made.flatMap(within) });
  limit(table, standing);
  return made;
}

// where somebody writes in a cell: its own field, or what is said instead of an answer
function fieldIn(cell) {
  const box = cell.querySelector(".entry:not([hidden])");
  const said = box && box.classList.contains("has-state") && box.querySelector("select.cell-state");
  return said || (box && box.querySelector("textarea, select, input:not([type=hidden]), summary"));
}
const firstField = (row) => cellsOf(row).map(fieldIn).find(Boolean) || null;

function write(row) {
  const target = firstField(row);
  if (!target) return;
  unfold(row);
  target.focus();
}

function remove(row) {
  const table = row.closest("table");
  const next = row.nextElementSibling && innerOf(row) ? innerOf(row).nextElementSibling : row.nextElementSibling;
  tell("forget", { names: names(row) });
  if (!baseOf(row)) {
    for (const one of within(row)) one.remove();
  } else {
    row.dataset.removed = "1";
    for (const one of within(row)) one.hidden = true;
    const gone = document.createElement("tr");
    gone.className = "row-gone";
    const cell = gone.insertCell();
    cell.colSpan = row.children.length;
    const words = document.createElement("span");
    words.textContent = `${table.dataset.gone} `;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "btn btn-quiet";
    button.textContent = table.dataset.restore;
    button.addEventListener("click", () => restore(row));
    cell.append(words, button);
    row.before(gone);
    dirty([`row:${row.dataset.row}`]);
  }
  renumber(table);
  const beside = next && next.dataset.row && firstField(next) ? next : rows(table).filter(firstField).pop();
  if (beside) write(beside);
  else table.closest("fieldset").querySelector(":scope > .table-acts > [data-row-act]")?.focus();
  say(table, table.dataset.gone);
}

function unhide(row) {
  delete row.dataset.removed;
  const gone = row.previousElementSibling;
  if (gone && gone.classList.contains("row-gone")) gone.remove();
  for (const one of within(row)) one.hidden = false;
}

function restore(row) {
  unhide(row);
  dirty([`row:${row.dataset.row}`]);
  renumber(row.closest("table"));
  say(row.closest("table"), "");
  write(row);
}

function move(row, down) {
  const table = row.closest("table");
  const order = rows(table);
  const at = order.indexOf(row);
  const other = order[down ? at + 1 : at - 1];
  if (!other) return;
  const [first, second] = down ? [row, other] : [other, row];
  first.before(...within(second));
  const changed = [];
  rows(table).forEach((one, number) => {
    const place = field(one, "row");
    if (Number(place.value) === number + 1) return;
    place.value = number + 1;
    if (baseOf(one)) changed.push(`row:${one.dataset.row}`);
  });
  renumber(table);
  dirty(changed);
  const menu = row.querySelector(":scope > .row-acts details");
  menu.open = false;
  menu.querySelector("summary").focus();
}

form.addEventListener("click", (event) => {
  const button = event.target.closest("[data-row-act]");
  if (!button) return;
  event.preventDefault();
  const act = button.value.split(":")[0];
  if (act === "add") {
    const table = button.closest("fieldset").querySelector("table[data-table]");
    const [row] = add(table);
    if (row) write(row);
    return;
  }
  const row = button.closest("tr[data-row]");
  if (act === "remove") remove(row);
  else move(row, act === "down");
});

// --- the keyboard ---------------------------------------------------------------------------------------------------

function step(target, rowStep, cellStep) {
  const cell = target.closest("td");
  const row = target.closest("tr[data-row]");
  if (!cell || !row) return false;
  const table = row.closest("table");
  const order = rows(table);
  let next = order[order.indexOf(row) + rowStep];
  if (!next && rowStep > 0) [next] = add(table);
  if (!next) return false;
  let at = [...row.children].indexOf(cell) + cellStep;
  let found = null;
  while (!found && at > 0 && at < next.children.length) {
    found = fieldIn(next.children[at]);
    if (!cellStep) break;
    at += cellStep;
  }
  if (!found) return false;
  unfold(next);
  found.focus();
  if (found.select && found.tagName === "INPUT" && found.type === "text") found.select();
  return true;
}

function atEdge(target, right) {
  if (target.selectionStart === undefined || target.selectionStart === null) return true;
  return target.selectionStart === target.selectionEnd && target.selectionStart === (right ? target.value.length : 0);
}

form.addEventListener("keydown", (event) => {
  const target = event.target;
  if (event.isComposing || !target.closest || !target.closest(".entry-row .entry")) return;
  if (event.key === "Enter" && /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)) {
    if (event.altKey && target.tagName === "TEXTAREA") {
      event.preventDefault();
      target.setRangeText("\n", target.selectionStart, target.selectionEnd, "end");
      target.dispatchEvent(new Event("input", { bubbles: true }));
    } else if (!event.shiftKey && !event.altKey && target.type !== "checkbox") {
      event.preventDefault();
      step(target, 1, 0);
    } else if (target.tagName !== "TEXTAREA") {
      event.preventDefault();
      step(target, -1, 0);
    }
    return;
  }
  if (!event.ctrlKey && !event.metaKey) return;
  if (event.key === "ArrowDown" && rows(target.closest("table")).at(-1) !== target.closest("tr[data-row]")) {
    if (step(target, 1, 0)) event.preventDefault();
  } else if (event.key === "ArrowUp") {
    if (step(target, -1, 0)) event.preventDefault();
  } else if (event.key === "ArrowRight" && atEdge(target, true)) {
    if (step(target, 0, 1)) event.preventDefault();
  } else if (event.key === "ArrowLeft" && atEdge(target, false)) {
    if (step(target, 0, -1)) event.preventDefault();
  }
});

// --- small controls in cells ----------------------------------------------------------------------------------------

function chosen(details) {
  const place = details?.querySelector("[data-chosen]");
  if (!place) return;
  place.dataset.none ??= place.textContent;
  const labels = [...details.querySelectorAll("input:checked")].map((one) => one.closest("label").textContent.trim());
  place.textContent = labels.join("; ") || form.dataset.choose;
}

function showState(list) {
  list.closest(".entry").classList.toggle("has-state", list.value !== "answered");
}
// an answer and a state side by side are told in a sentence: both stay to be seen
for (const list of form.querySelectorAll(".entry:not(.has-error) > select.cell-state")) showState(list); // the browser may have put back what was chosen

form.addEventListener("change", (event) => {
  const box = event.target.closest?.(".entry-row .entry");
  if (!box) return;
  if (event.target.classList.contains("cell-state")) showState(event.target);
  if (event.target.type === "checkbox") chosen(event.target.closest("details"));
});

form.addEventListener("click", (event) => {
  const button = event.target.closest("[data-cell-picks]");
  if (!button) return;
  const target = document.getElementById(button.dataset.cellPicks);
  const picker = calendarBehind(button);
  if (!picker) return;
  picker.addEventListener("input", (each) => each.stopPropagation());
  picker.addEventListener("change", (each) => {
    each.stopPropagation();
    target.value = picker.value;
    target.dispatchEvent(new Event("change", { bubbles: true }));
    target.focus();
    picker.remove();
  });
  openCalendar(picker, target);
});

// Texts grow with what is written; browsers that can do it by themselves are left alone.
if (!CSS.supports("field-sizing", "content")) {
  form.addEventListener("input", (event) => {
    const area = event.target;
    if (area.dataset.cell === undefined || area.scrollHeight <= area.clientHeight + 2) return;
    area.rows = Math.min(12, area.rows + Math.ceil((area.scrollHeight - area.clientHeight) / parseFloat(getComputedStyle(area).lineHeight)));
  });
}

// --- what came back -------------------------------------------------------------------------------------------------

document.addEventListener("tamdan:told", (event) => {
  const told = event.detail;
  for (const one of told.rows || []) {
    const row = rowNamed(one.name);
    if (!row) continue;
    const base = field(row, "row-base");
    if (base) base.value = one.revision;
    const place = field(row, "row");
    if (place) place.value = one.position;
    if (one.removed && !row.dataset.removed && !(told.stale_rows || []).some((each) => each.name === one.name)) remove(row);
  }
  for (const [name, text] of Object.entries(told.computed || {})) {
    const place = form.querySelector(`[data-computed="${CSS.escape(name)}"]`);
    if (place) place.textContent = text;
  }
  for (const [name, text] of Object.entries(told.totals || {})) {
    const place = form.querySelector(`[data-total="${CSS.escape(name)}"]`);
    if (place) place.textContent = text;
  }
  for (const one of told.refused_rows || []) {
    const row = rowNamed(one.name);
    if (row) say(row.closest("table"), one.message);
  }
  for (const one of told.stale_rows || []) collide(one);
});

function collide(one) {
  const row = rowNamed(one.name);
  if (!row) return;
  for (const each of row.parentElement.querySelectorAll(`.row-conflict[data-of="${CSS.escape(one.name)}"]`)) each.remove();
  const box = document.getElementById("row-conflict-template").content.firstElementChild.cloneNode(true);
  const kind = one.removed ? "removed" : "written";
  for (const place of box.querySelectorAll(`[data-${kind}]`)) {
    place.textContent = place.dataset[kind].replace("{name}", () => one.by || place.dataset.nobody);
  }
  box.querySelector("[data-at]").textContent = one.at ? `(${digits(one.at)})` : "";
  const shown = one.removed ? one.mine : one.theirs;
  for (const cell of shown) {
    const pair = document.createElement("div");
    const term = document.createElement("dt");
    term.textContent = cell.by ? `${cell.label} (${cell.by}, ${digits(cell.at)})` : cell.label;
    const words = document.createElement("dd");
    words.textContent = cell.text;
    pair.append(term, words);
    box.querySelector("[data-cells]").append(pair);
  }
  const line = document.createElement("tr");
  line.className = "row-conflict";
  line.dataset.of = one.name;
  const holder = line.insertCell();
  holder.colSpan = row.children.length;
  holder.append(box);
  if (!one.removed) unhide(row);
  (innerOf(row) || row).after(line);
  renumber(row.closest("table"));
  if (!one.removed) {
    for (const cell of one.theirs) tell("theirs", { name: cell.name, raw: cell.raw, revision: cell.revision });
  }
  const touched = one.mine.map((cell) => cell.name);
  box.querySelector('[data-resolve-row="keep"]').addEventListener("click", () => {
    line.remove();
    tell("forget", { names: [`row:${one.name}`] });
    if (!one.removed) return;
    unhide(row);
    dirty([`row:${one.name}`, ...touched], 0);
    write(row);
  });
  box.querySelector('[data-resolve-row="remove"]').addEventListener("click", () => {
    line.remove();
    tell("forget", { names: [`row:${one.name}`] });
    if (one.removed) {
      tell("forget", { names: names(row) });
      const table = row.closest("table");
      for (const each of within(row)) each.remove();
      renumber(table);
    } else remove(row);
  });
}

// Choices know their labels in every language of the questionnaire, for pasting.
function knowLabels() {
  for (const head of form.querySelectorAll("th[data-labels]")) {
    const made = {};
    for (const [label, key] of Object.entries(JSON.parse(head.dataset.labels))) made[plain(label)] = key;
    head.dataset.labels = JSON.stringify(made);
  }
}
knowLabels();
document.addEventListener("tamdan:later", knowLabels);

form.addEventListener("paste", pasted);
watchCards();
