// Two versions of one answer, as respond.js has its reader choose between them: a box beside the answer that follows what
// is typed on. Nothing but the choice lifts the revision that the answer is saved on. Its names are those of respond.js.

// What says "not available" or "not applicable" for an answer: radio buttons, in a cell a small list.
function statesOf(name) {
  const item = unitOf(name)?.closest("[data-item]");
  return item ? [...item.querySelectorAll(`[name="${CSS.escape(item.dataset.item)}!state"]`)] : [];
}

function stateWords(name) {
  const said = statesOf(name).find((one) => (one.tagName === "SELECT" || one.checked) && one.value !== "answered");
  if (!said) return "";
  return (said.tagName === "SELECT" ? said.selectedOptions[0] : said.closest("label")).textContent.trim();
}

// Tells whether that changed anything.
function putState(name, value) {
  let moved = false;
  for (const field of statesOf(name)) {
    if (field.tagName === "SELECT") {
      moved ||= field.value !== value;
      field.value = value;
      field.closest(".entry").classList.toggle("has-state", value !== "answered");
    } else if (field.value === value && !field.checked) {
      moved = true;
      field.checked = true;
      if (value !== "answered") field.closest("details").open = true;
    }
  }
  return moved;
}

// The answers that stand under one state: the languages of a text.
function besides(name) {
  const item = unitOf(name).closest("[data-item]");
  return [item, ...item.querySelectorAll("[data-answer]")].map((part) => part.dataset.answer).filter(Boolean);
}

// Two texts do not fit a cell of a table: they stand in a line below its row.
function lineBelow(item) {
  const row = item.closest("tr[data-row]");
  if (!row) return item;
  const inner = row.nextElementSibling?.dataset.inner === row.dataset.row ? row.nextElementSibling : row;
  const next = inner.nextElementSibling;
  if (next && next.classList.contains("row-conflict") && !next.dataset.of) return next.firstElementChild;
  const line = document.createElement("tr");
  line.className = "row-conflict";
  const cell = line.insertCell();
  cell.colSpan = row.children.length;
  inner.after(line);
  return cell;
}

function removeBox(box) {
  const line = box.closest("tr.row-conflict");
  box.remove();
  if (line && !line.querySelector(".conflict")) line.remove();
}

// edited is the joined text as its reader mended it on a page before
function collide(one, edited = "") {
  const unit = unitOf(one.name);
  if (!unit) return;
  for (const old of form.querySelectorAll("[data-conflict-box]")) if (old.dataset.name === one.name) removeBox(old);
  const item = unit.closest("[data-item]");
  const place = item.querySelector("[data-conflict]") || lineBelow(item);
  const box = document.getElementById("conflict-template").content.firstElementChild.cloneNode(true);
  const part = (name) => box.querySelector(`[data-${name}]`);
  box.dataset.name = one.name;
  part("label").textContent = labelOf(one.name);
  for (const each of box.querySelectorAll('[id^="conflict-"]')) each.id += one.name;
  for (const each of [box, ...box.querySelectorAll("[aria-labelledby]")]) {
    each.setAttribute("aria-labelledby", each.getAttribute("aria-labelledby").split(" ").map((id) => id + one.name).join(" "));
  }
  // without this script's choice, the whole page may still be posted
  for (const each of box.querySelectorAll("[name]")) each.name += one.name;
  part("by").textContent = one.by || "";
  part("at").textContent = one.at ? clock(one.at) : "";
  const theirs = asList(one.theirs_raw || one.theirs);
  const theirWords = typeof one.theirs === "string" ? one.theirs : spoken(one.name, theirs);
  const theirState = one.theirs_state || "answered";
  const joinable = fieldsOf(one.name).some((field) => field.tagName === "TEXTAREA") && theirState === "answered" && theirWords;
  const merged = part("merged");
  const made = part("joined"); // the joined text as it was made: what differs from it was mended by hand
  let drawn = null;
  let joined = null;

  function draw() {
    const mine = stateWords(one.name) || spoken(one.name, values(one.name));
    const texts = globalThis.tamdanTexts;
    if (!texts) { // no line: both texts stand there, unmarked
      part("mine").textContent = mine;
      part("theirs").textContent = theirWords;
      part("legend").hidden = true;
      part("merge").hidden = true;
      return;
    }
    if (drawn !== mine) {
      const apart = texts.setApart(mine, theirWords, form.dataset.language);
      ["mine", "theirs"].forEach((which, at) => texts.drawPieces(part(which), apart[at]));
      part("legend").hidden = apart.every((pieces) => pieces.length < 2);
      drawn = mine;
    }
    const text = joinable && !stateWords(one.name) ? mine : "";
    if (text && text !== joined) {
      const byHand = joined !== null && merged.value !== made.value;
      merged.value = byHand ? texts.mergeTexts(text, merged.value, joined) : texts.mergeTexts(text, theirWords, one.begun);
      if (!byHand) made.value = merged.value;
      joined = text;
    }
    if (edited) merged.value = edited;
    edited = "";
    part("merge").hidden = !text && merged.value === made.value;
  }

  function chosen(which) {
    draw();
    const text = merged.value;
    baseOf(one.name).value = one.revision;
    if (which === "theirs") fill(one.name, theirs);
    if (which === "both") fill(one.name, [text]);
    const moved = which !== "mine" && putState(one.name, which === "theirs" ? theirState : "answered");
    stale.delete(one.name);
    dirty.delete(one.name);
    sentAs.set(one.name, heard(one.name)); // the same text typed once more is something new
    removeBox(box);
    if (which !== "theirs") dirty.add(one.name);
    if (moved) for (const name of besides(one.name)) if (name !== one.name) dirty.add(name);
    schedule(0);
    settle();
    const field = fieldsOf(one.name).find((each) => each.type !== "hidden");
    if (field) field.focus();
  }

  for (const button of box.querySelectorAll("[data-resolve]")) {
    button.type = "button";
    button.addEventListener("click", () => chosen(button.dataset.resolve));
  }
  let due = 0;
  merged.addEventListener("input", () => copy.later());
  place.append(box);
  stale.set(one.name, {
    box,
    again() {
      clearTimeout(due);
      due = setTimeout(draw, 150);
    },
    mended: () => edited || (merged.value === made.value ? "" : merged.value),
  });
  draw();
  compared().then(draw).catch(() => {});
}

// The boxes that came with the page, after a post that met a conflict: from now on they are this script's own. A row that
// a colleague removed is not on the page: its box is posted as it is.
function adopt() {
  const lines = (text) => text.replace(/\r\n?/g, "\n");
  for (const box of form.querySelectorAll("[data-waits]")) stale.set(`row:${box.dataset.waits}`, { removed: box });
  for (const box of form.querySelectorAll("[data-conflict-box][data-told]")) {
    const one = JSON.parse(box.dataset.told);
    if (!unitOf(one.name)) continue;
    const [merged, made] = ["merged", "joined"].map((name) => lines(box.querySelector(`[data-${name}]`)?.value || ""));
    box.remove();
    collide(one, merged === made ? "" : merged);
  }
  if (stale.size) settle();
}

// What was written in a row that a colleague removed, as its box posts it: [[name of the cell, its fields, its label]].
function inRemovedRow(box) {
  const fields = [...box.querySelectorAll("input[type=hidden]")].map((one) => [one.name.replace("mine:", ""), one.value]);
  return fields.filter(([name]) => name.startsWith("base:")).map(([base]) => {
    const name = base.slice(5);
    return [name, fields.filter(([field]) => field === base || own(name, [[field]]).length), box.querySelector("p + p")?.textContent || ""];
  });
}

// A page that is not left, or not sent, while a choice waits: it is what needs the reader.
function showChoice() {
  const box = form.querySelector(".conflict");
  settle();
  box.scrollIntoView({ block: "center" });
  box.querySelector("button")?.focus({ preventScroll: true });
}
