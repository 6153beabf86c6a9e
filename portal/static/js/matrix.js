// The assignment matrix with a keyboard, as in a spreadsheet. Without this script each cell is an ordinary list.

const form = document.querySelector("[data-matrix]");
const table = form && form.querySelector(".matrix");

if (table) {
  const state = form.querySelector(".matrix-state");
  const words = state && state.querySelector("[data-words]");
  const before = words && words.textContent;
  const heads = [...table.tHead.rows[0].cells];
  const was = new Map([...table.querySelectorAll("select")].map((cell) => [cell.name, cell.value]));
  const keys = form.querySelector("[data-keys]");
  if (keys) keys.hidden = false;
  let leaving = false;

  const changed = () => [...table.querySelectorAll("select")].filter((cell) => cell.value !== was.get(cell.name)).length;

  function show(cell) {
    const place = cell.parentElement;
    const issued = place.classList.contains("is-issued");
    const role = cell.value.split("/")[0];
    place.className = [role && `is-${role}`, issued && "is-issued", cell.value !== was.get(cell.name) && "is-changed"].filter(Boolean).join(" ");
    if (!place.className) place.removeAttribute("class");
    if (!state) return;
    const count = changed();
    state.dataset.state = count ? "changed" : "saved";
    words.textContent = count ? form.dataset.unsaved.replace("{n}", count) : before;
  }

  function put(cell, value) {
    if (![...cell.options].some((option) => option.value === value)) return;
    cell.value = value;
    show(cell);
  }

  function neighbour(cell, right, down) {
    const place = cell.parentElement;
    if (right) {
      let next = place;
      do next = right > 0 ? next.nextElementSibling : next.previousElementSibling;
      while (next && !next.querySelector("select"));
      return next && next.querySelector("select");
    }
    let row = place.parentElement;
    do {
      row = down > 0 ? row.nextElementSibling : row.previousElementSibling;
      const next = row && row.cells.length === heads.length && row.cells[place.cellIndex].querySelector("select");
      if (next) return next;
    } while (row);
    return null;
  }

  const moves = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1], Enter: [0, 1] };

  table.addEventListener("keydown", (event) => {
    const cell = event.target.closest("select");
    if (!cell || event.ctrlKey || event.metaKey || event.altKey) return;
    const [role, length] = cell.value.split("/");
    const keyed = { KeyL: length ? `lead/${length}` : "lead", KeyC: length ? `contributing/${length}` : "contributing", KeyF: role ? (length ? role : `${role}/full`) : "lead/full", Delete: "", Backspace: "" };
    if (event.code in moves) {
      const next = neighbour(cell, ...moves[event.code]);
      event.preventDefault();
      if (!next) return;
      if (event.shiftKey) put(next, cell.value);
      next.focus();
    } else if (event.code in keyed) {
      event.preventDefault();
      put(cell, keyed[event.code]);
    }
  });

  table.addEventListener("change", (event) => show(event.target));

  table.addEventListener("focusin", (event) => {
    for (const one of table.querySelectorAll(".is-here")) one.classList.remove("is-here");
    const cell = event.target.closest("td");
    if (!cell) return;
    cell.parentElement.classList.add("is-here");
    if (heads[cell.cellIndex]) heads[cell.cellIndex].classList.add("is-here");
  });

  form.addEventListener("submit", () => { leaving = true; });
  addEventListener("beforeunload", (event) => {
    if (!leaving && changed()) event.preventDefault();
  });
}
