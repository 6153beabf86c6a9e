// Answers that are spoken in labels, hints and notes: renewed while they are written, always as text. Nothing is announced:
// a label is read when its field is reached. A part of relevance.js.
//
// [data-wording="... ${name} ..."] shows the wording with answers in it (a cell of a table: in its data-label, which phones
// show; a choice too, in a drop-down or beside its box); [data-says="name"] shows one answer, inside a note. Each sees what the row it stands in sees.

const NAMED = /\$\{\s*([^{}\s]+)\s*\}/g;

// as fill() in forms/evaluation.py; undefined where an answer cannot be known here
function spoken(words, engine, frame, deep = false) {
  let known = true;
  const text = words.replace(NAMED, (found, name) => {
    if (engine.missing.has(name)) known = false;
    let value = "";
    for (let one = frame; one; one = one.up) {
      if (one.values.has(name)) { value = one.values.get(name); break; }
    }
    const labels = engine.rules.labels[name];
    if (!value || !labels) return value || "…";
    const said = value.split(" ").map((key) => (Object.hasOwn(labels, key) ? labels[key] : key)).join(", ");
    // the label of a choice may speak an answer itself
    return deep ? said.replace(NAMED, "…") : spoken(said, engine, frame, true) ?? said;
  });
  return known ? text : undefined;
}

class Wording {
  constructor(engine) {
    this.engine = engine;
    this.places = new Map(); // name of an answer -> where it is spoken
  }

  // frames: name of a row -> its frame
  read(root, frames) {
    for (const element of root.querySelectorAll("[data-wording], [data-says]")) {
      const words = element.dataset.wording ?? `\${${element.dataset.says}}`;
      const row = element.closest("[data-row], [data-inner]");
      const frame = (row && frames.get(row.dataset.row || row.dataset.inner)) || this.engine.root;
      for (const [, name] of words.matchAll(NAMED)) {
        if (!this.places.has(name)) this.places.set(name, new Set());
        this.places.get(name).add({ element, words, frame });
      }
    }
  }

  // choices that came on offer since: their words are said at once
  heed(item, frame) {
    for (const element of item.querySelectorAll("[data-wording]")) {
      if (!element.textContent.includes("${")) continue;
      const place = { element, words: element.dataset.wording, frame };
      for (const [, name] of place.words.matchAll(NAMED)) {
        if (!this.places.has(name)) this.places.set(name, new Set());
        this.places.get(name).add(place);
      }
      this.say(place);
    }
  }

  renew(codes) {
    for (const code of codes) for (const place of this.places.get(code) || []) this.say(place);
  }

  say({ element, words, frame }) {
    const text = spoken(words, this.engine, frame);
    const cell = element.tagName === "TD";
    const before = cell ? element.dataset.label : element.textContent;
    if (text === undefined || text === before) return;
    if (cell) element.dataset.label = text;
    else element.textContent = text;
    const item = element.closest("td") || element.closest("[data-item]");
    if (!before || element.dataset.says || !item || element.closest("option, .option")) return;
    for (const named of item.querySelectorAll("[aria-label]")) {
      const label = named.getAttribute("aria-label");
      if (label.includes(before)) named.setAttribute("aria-label", label.replace(before, () => text));
    }
  }
}
