// Long tables on a phone: each row is a card, and a card folds to one line that says what stands in it. A part of
// tables.js. Without script every card is open.

const NARROW = matchMedia("(max-width: 40rem)");
const FEW = 5;      // rows up to which every card stays open
const GIST = 80;    // characters of a line

// What the cells of a row say, the first two that say something, in whichever language.
function gist(row) {
  const found = [];
  for (const cell of cellsOf(row)) {
    for (const field of cell.querySelectorAll(".entry:not([hidden]) :is(textarea, select:not(.cell-state), input[type=text])")) {
      const text = (field.tagName === "SELECT" ? field.selectedOptions[0]?.text ?? "" : field.value).trim();
      if (!text) continue;
      found.push(text);
      break;
    }
    if (found.length === 2) break;
  }
  return found.join(" · ").slice(0, GIST);
}

function foldButton(row) {
  const head = row.firstElementChild;
  let button = head.querySelector(".row-fold");
  if (button) return button;
  button = document.createElement("button");
  button.type = "button";
  button.className = "row-fold";
  button.append(document.createElement("span"));
  button.setAttribute("aria-labelledby", head.id);
  head.append(button);
  head.classList.add("has-fold");
  return button;
}

function fold(row, folded) {
  const button = foldButton(row);
  button.firstElementChild.textContent = folded ? gist(row) : "";
  button.setAttribute("aria-expanded", String(!folded));
  row.classList.toggle("is-folded", folded);
}

function unfold(row) {
  if (row.classList.contains("is-folded")) fold(row, false);
}

function foldLong() {
  if (!NARROW.matches) return;
  const target = location.hash ? document.getElementById(decodeURIComponent(location.hash.slice(1))) : null;
  for (const table of form.querySelectorAll("table[data-table]")) {
    const standing = rows(table);
    if (standing.length <= FEW) continue;
    for (const row of standing) {
      if (row.querySelector(":scope > th > .row-fold") || !gist(row)) continue;
      fold(row, !row.querySelector(".has-error, .is-missing") && !within(row).some((one) => one.contains(target)));
    }
  }
  target?.scrollIntoView();
}

function unfoldAround(target) {
  const row = target?.closest?.("tr[data-row]");
  if (row) unfold(row);
}

function watchCards() {
  form.addEventListener("click", (event) => {
    const button = event.target.closest(".row-fold");
    if (button) fold(button.closest("tr"), button.getAttribute("aria-expanded") === "true");
  });
  // a link to a cell opens its card before the browser goes there
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href*='#']");
    if (link && link.hash && link.pathname === location.pathname) unfoldAround(document.getElementById(decodeURIComponent(link.hash.slice(1))));
  });
  // what the server has to say of a cell is not said out of sight
  document.addEventListener("tamdan:told", (event) => {
    for (const one of [...(event.detail.refused || []), ...(event.detail.stale || [])]) {
      unfoldAround(form.querySelector(`[data-answer="${CSS.escape(one.name)}"]`));
    }
  });
  NARROW.addEventListener("change", foldLong);
  foldLong();
}
