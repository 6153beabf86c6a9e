// Cells copied in Excel, LibreOffice or Google Sheets go into the cells of a table. A part of tables.js: its names are
// those of tables.js.

// Tab-separated text as Excel, LibreOffice and Google Sheets write it: cells with line ends are quoted.
function cellsIn(text) {
  const grid = [[]];
  let cell = "";
  let quoted = false;
  let begun = false;
  const source = text.replace(/\r\n?/g, "\n");
  for (let at = 0; at < source.length; at += 1) {
    const sign = source[at];
    if (quoted) {
      if (sign === '"' && source[at + 1] === '"') { cell += '"'; at += 1; }
      else if (sign === '"') quoted = false;
      else cell += sign;
    } else if (sign === '"' && !begun && /["\n]/.test(source.slice(at + 1)) && closes(source, at)) {
      quoted = true;
      begun = true;
    } else if (sign === "\t" || sign === "\n") {
      grid.at(-1).push(cell);
      if (sign === "\n") grid.push([]);
      cell = "";
      begun = false;
    } else {
      cell += sign;
      begun = true;
    }
  }
  grid.at(-1).push(cell);
  if (grid.length > 1 && grid.at(-1).length === 1 && grid.at(-1)[0] === "") grid.pop();
  return grid;
}

// A quote opens a cell only where another closes it just before a tab, a line end or the end.
function closes(source, from) {
  const end = /"(?:[^"]|"")*"(?=[\t\n]|$)/y;
  end.lastIndex = from;
  return end.test(source);
}

const plain = (text) => text.normalize("NFC").replace(/[\u200b-\u200d\ufeff]/g, "").replace(/\s+/g, " ").trim().toLowerCase();

function isBlock(data, text, target) {
  if (/\t/.test(text)) return true;
  if (!/\n./.test(text.replace(/\r/g, ""))) return target.tagName === "SELECT";
  const html = data.getData("text/html");
  return /<table/i.test(html) || target.tagName !== "TEXTAREA";
}

const listOf = (cell) => {
  const column = cell.closest("table").tHead.querySelector(`th[data-item="${CSS.escape(cell.dataset.item)}"]`);
  try { return JSON.parse(column?.dataset.labels || "{}"); } catch { return {}; }
};

// Put a text into a cell's own control; what the control cannot hold is kept as typed, the server says why.
function put(cell, text) {
  const value = text.trim();
  const box = cell.querySelector(".entry");
  const state = box.querySelector(".cell-state");
  if (state) {
    const said = [...state.options].find((one) => one.value !== "answered" && value && [one.value, one.text].some((each) => plain(each) === plain(value)));
    state.value = said ? said.value : "answered";
    box.classList.toggle("has-state", Boolean(said));
    if (said) return unitName(box);
  }
  const list = box.querySelector("select:not(.cell-state)");
  const ticks = [...box.querySelectorAll("input[type=checkbox]")];
  const area = box.querySelector("textarea, input[type=text]");
  if (list && !list.disabled) {
    const key = value ? listOf(cell)[plain(value)] ?? value : "";
    if (key && ![...list.options].some((one) => one.value === key)) list.add(new Option(value, key));
    list.value = key;
  } else if (ticks.length === 1) {
    ticks[0].checked = TICKS.has(plain(value));
  } else if (ticks.length) {
    const labels = listOf(cell);
    const wanted = value.split(/[;,|\n]/).map((one) => labels[plain(one)] ?? one.trim());
    for (const tick of ticks) tick.checked = wanted.includes(tick.value);
    chosen(ticks[0].closest("details"));
  } else if (area && !area.readOnly) {
    area.value = area.tagName === "TEXTAREA" ? value : value.replace(/\s*\n\s*/g, " ");
  } else return "";
  return unitName(box);
}

function unitName(box) {
  return box.dataset.answer || box.querySelector("[data-answer]")?.dataset.answer || "";
}

function isHeading(grid, cells) {
  const heads = cells.map((cell) => plain(cell.dataset.label || ""));
  const said = grid[0].map(plain);
  return grid.length > 1 && said.some(Boolean) && said.every((text, at) => !text || text === heads[at]);
}

function pasted(event) {
  const start = event.target.closest?.(".entry-row .entry");
  if (!start || event.target.readOnly || event.target.disabled) return;
  const text = event.clipboardData.getData("text/plain");
  if (!text || !isBlock(event.clipboardData, text, event.target)) return;
  event.preventDefault();
  const table = start.closest("table");
  const row = start.closest("tr[data-row]");
  const at = cellsOf(row).indexOf(start.closest("td"));
  let grid = cellsIn(text);
  if (isHeading(grid, cellsOf(row).slice(at))) grid = grid.slice(1);
  const order = rows(table);
  const from = order.indexOf(row);
  const missing = from + grid.length - order.length;
  if (missing > 0) add(table, missing);
  const targets = rows(table).slice(from);
  const touched = [];
  let left = 0;
  grid.forEach((line, number) => {
    const cells = targets[number] ? cellsOf(targets[number]).slice(at) : [];
    line.forEach((value, place) => {
      if (!cells[place]) left += value.trim() ? 1 : 0;
      else touched.push(put(cells[place], value));
    });
  });
  dirty(touched.filter(Boolean));
  tell("changed");
  const words = statusOf(table);
  if (words) {
    const done = form.dataset.pasted.replace("{n}", digits(Math.min(grid.length, targets.length)));
    words.textContent = left ? `${done} ${form.dataset.left.replace("{n}", digits(left))}` : done;
  }
}
