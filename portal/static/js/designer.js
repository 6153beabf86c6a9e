// The designer's niceties: dragging in the outline, the preview and the checker's words while somebody writes.
// Every page works without it: what it does is what a button does.

const MARK = "|";

// Dragging. The handle of a line is its picture; dropping presses the same button as "move".
const outline = document.querySelector("[data-outline]");
if (outline) arrange(outline);

function arrange(form) {
  let dragged = null;
  let target = null;
  const lines = [...form.querySelectorAll("[data-drag]")];
  for (const line of lines) {
    const handle = line.querySelector("[data-handle]");
    handle.draggable = true;
    handle.addEventListener("dragstart", (event) => {
      dragged = line;
      line.classList.add("is-dragged");
      event.dataTransfer.effectAllowed = "move";
      event.dataTransfer.setData("text/plain", line.dataset.code);
      event.dataTransfer.setDragImage(line.firstElementChild, 16, 16);
    });
    handle.addEventListener("dragend", () => {
      clear();
      line.classList.remove("is-dragged");
      dragged = null;
    });
  }

  form.addEventListener("dragover", (event) => {
    const row = event.target.closest(".outline-row");
    const line = row && row.parentElement;
    clear();
    if (!dragged || !line || dragged.contains(line)) return;
    const place = placeAt(line, row, event.clientY);
    if (!place) return;
    event.preventDefault();
    target = place;
    row.classList.add(`drop-${place.how}`);
  });

  form.addEventListener("drop", (event) => {
    if (!dragged || !target) return;
    event.preventDefault();
    const press = document.createElement("button");
    press.name = "do";
    const [code, parent, before] = dragged.dataset.drag.split(MARK);
    press.value = ["move", code, target.parent, target.before, parent, before].join(MARK);
    press.hidden = true;
    form.append(press);
    form.requestSubmit(press);
  });

  function clear() {
    target = null;
    for (const row of form.querySelectorAll(".drop-before, .drop-after, .drop-into")) {
      row.classList.remove("drop-before", "drop-after", "drop-into");
    }
  }

  // Where a line would go: before or behind another one of its kind of place, or into a page, group or table.
  function placeAt(line, row, y) {
    const box = row.getBoundingClientRect();
    const share = (y - box.top) / box.height;
    const [, parent, next] = line.dataset.drag.split(MARK);
    const page = dragged.dataset.kind === "section";
    const folder = ["section", "group", "repeat", "matrix"].includes(line.dataset.kind);
    const first = line.querySelector(":scope > ol > [data-drag]");
    if (page !== (line.dataset.kind === "section")) {
      if (page) return null;
      return { how: "into", parent: line.dataset.code, before: first ? first.dataset.code : "" };
    }
    if (folder && !page && share > 0.3 && (share < 0.7 || first)) {
      if (line.dataset.kind === "matrix" && dragged.dataset.kind !== "question") return null;
      return { how: "into", parent: line.dataset.code, before: first ? first.dataset.code : "" };
    }
    return share < 0.5 ? { how: "before", parent, before: line.dataset.code } : { how: "after", parent, before: next };
  }
}

// One item. "refresh" saves nothing: the server draws the page with what is typed, and the parts that follow from it
// are put in place here - the preview, what the checker says, the selects of a rule and its expression.
const designer = document.querySelector("[data-designer]");
if (designer) follow(designer);

function follow(form) {
  form.classList.add("has-script");
  let waiting = 0;
  let running = null;
  let changed = false;

  form.addEventListener("input", (event) => {
    changed = true;
    if (event.target.closest(".rule") && event.target.matches("textarea, input:not([type=radio])")) return;
    later(350);
  });
  form.addEventListener("change", (event) => {
    changed = true;
    if (event.target.matches("[data-rebuilds]")) later(0);
  });
  form.addEventListener("submit", () => { changed = false; });
  addEventListener("beforeunload", (event) => {
    if (changed) event.preventDefault();
  });

  function later(wait) {
    clearTimeout(waiting);
    waiting = setTimeout(refresh, wait);
  }

  async function refresh() {
    if (running) running.abort();
    running = new AbortController();
    const fields = new FormData(form);
    fields.delete("idempotency_key");
    fields.set("do", "refresh");
    let answer;
    try {
      answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(fields), signal: running.signal, redirect: "manual" });
    } catch {
      return; // no line, or a newer keystroke: what is typed stays, the next change tries again
    }
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    swap(page, "[data-look]");
    swap(page, "[data-told]");
    for (const rule of form.querySelectorAll("[data-rule]")) swapRule(page, rule);
  }

  function swap(page, chosen) {
    const here = form.querySelector(chosen);
    const there = page.querySelector(chosen);
    if (here && there) here.replaceWith(document.adoptNode(there));
  }

  // A rule is drawn anew unless somebody is writing in its expression; the focus stays where it was.
  function swapRule(page, rule) {
    const there = page.getElementById(rule.id);
    if (!there || there.innerHTML === rule.innerHTML) return;
    const active = document.activeElement;
    const inside = rule.contains(active) ? active.id || active.name : "";
    const value = inside && rule.contains(active) && active.value;
    if (inside && active.matches("textarea") && value !== there.querySelector("textarea").value) return;
    const folds = [...rule.querySelectorAll("details")].map((one) => one.open);
    rule.replaceWith(document.adoptNode(there));
    [...there.querySelectorAll("details")].forEach((one, at) => { one.open ||= Boolean(folds[at]); });
    const again = inside && (document.getElementById(inside) || there.querySelector(`[name="${CSS.escape(inside)}"]:checked`));
    if (again) again.focus();
  }
}
