// Two texts of one answer: what sets them apart, word by word, and both joined. Texts reach the page as text, never as
// markup. Loaded when it is needed first: a conflict, a text that was kept. The same steps in Python: forms/definition/word_diff.py, forms/merging.py.

const MOST_WORDS = 1500; // beyond, a comparison takes seconds and nobody reads it word by word
// Khmer in clusters where the browser knows no Khmer words: a base, then subscripts, vowels and signs
const CLUSTERS = /[\u1780-\u17b3](?:\u17d2[\u1780-\u17b3]|[\u17b4-\u17d1\u17d3\u17dd\u200c\u200d])*|[0-9\u17e0-\u17e9]+|[^\W\d_\u1780-\u17ff]+|[\p{L}\p{M}]+|\s+|./gsu;
const SENTENCES = /\s+|\S[^\n.!?។៕]*[.!?។៕]*/gu;

function wordsOf(text, language) {
  if (!Intl.Segmenter) return text.match(CLUSTERS) || [];
  return Array.from(new Intl.Segmenter(language, { granularity: "word" }).segment(text), (part) => part.segment);
}

// The longest common subsequence as pairs of places.
function inBoth(one, other) {
  const pairs = [];
  let from = 0;
  while (from < one.length && from < other.length && one[from] === other[from]) { pairs.push([from, from]); from += 1; }
  let end = 0;
  while (end < one.length - from && end < other.length - from && one.at(-1 - end) === other.at(-1 - end)) end += 1;
  const high = one.length - from - end;
  const wide = other.length - from - end;
  const best = new Uint16Array((high + 1) * (wide + 1));
  for (let i = high - 1; i >= 0; i -= 1) {
    for (let j = wide - 1; j >= 0; j -= 1) {
      best[i * (wide + 1) + j] = one[from + i] === other[from + j]
        ? best[(i + 1) * (wide + 1) + j + 1] + 1
        : Math.max(best[(i + 1) * (wide + 1) + j], best[i * (wide + 1) + j + 1]);
    }
  }
  for (let i = 0, j = 0; i < high && j < wide;) {
    if (one[from + i] === other[from + j]) { pairs.push([from + i, from + j]); i += 1; j += 1; }
    else if (best[(i + 1) * (wide + 1) + j] >= best[i * (wide + 1) + j + 1]) i += 1;
    else j += 1;
  }
  for (let at = end; at > 0; at -= 1) pairs.push([one.length - at, other.length - at]);
  return pairs;
}

// Both texts as lists of [text, stands only here?]; nothing is marked where they have nothing in common.
function setApart(mine, theirs, language) {
  const ours = wordsOf(mine, language);
  const others = wordsOf(theirs, language);
  const plainly = [[[mine, false]], [[theirs, false]]];
  if (ours.length > MOST_WORDS || others.length > MOST_WORDS) return plainly;
  const pairs = inBoth(ours, others);
  if (!pairs.some(([at]) => ours[at].trim())) return plainly;
  return [pieces(ours, new Set(pairs.map((pair) => pair[0]))), pieces(others, new Set(pairs.map((pair) => pair[1])))];
}

function pieces(all, shared) {
  const made = [];
  all.forEach((word, at) => {
    // a blank that stayed between two words that changed changes with them
    const lone = !shared.has(at) || (!word.trim() && at > 0 && at < all.length - 1 && !shared.has(at - 1) && !shared.has(at + 1));
    if (made.length && made.at(-1)[1] === lone) made.at(-1)[0] += word;
    else made.push([word, lone]);
  });
  return made;
}

function drawPieces(place, list) {
  place.replaceChildren(...list.map(([text, lone]) => {
    if (!lone) return document.createTextNode(text);
    const mark = document.createElement("mark");
    mark.textContent = text;
    return mark;
  }));
}

// A third text of two, by sentences, against the one that both began from (or, null, what both have in common).
function mergeTexts(mine, theirs, begun) {
  const lines = (text) => text.replace(/\r\n?/g, "\n");
  const cut = (text) => lines(text).match(SENTENCES) || [];
  const ours = cut(mine);
  const others = cut(theirs);
  const start = begun === null || begun === undefined ? inBoth(others, ours).map((pair) => others[pair[0]]) : cut(begun);
  const inMine = new Map(inBoth(start, ours));
  const inTheirs = new Map(inBoth(start, others));
  const same = (one, other) => one.length === other.length && one.every((text, at) => text === other[at]);
  const joined = [];
  const join = (was, my, their) => {
    if (same(my, was) || same(my, their)) joined.push(...their);
    else if (same(their, was)) joined.push(...my);
    else joined.push(...bothOf(was, their, my, same(my, ours) && same(their, others), same));
  };
  let [a, b, c] = [0, 0, 0];
  start.forEach((text, at) => {
    if (!inMine.has(at) || !inTheirs.has(at)) return;
    join(start.slice(a, at), ours.slice(b, inMine.get(at)), others.slice(c, inTheirs.get(at)));
    joined.push(text);
    [a, b, c] = [at + 1, inMine.get(at) + 1, inTheirs.get(at) + 1];
  });
  join(start.slice(a), ours.slice(b), others.slice(c));
  return joined.join("");
}

function bothOf(was, theirs, mine, whole, same) {
  for (const [longer, other] of was.length ? [[mine, theirs], [theirs, mine]] : []) {
    if (same(longer.slice(0, was.length), was)) return [...other, ...longer.slice(was.length)];
    if (same(longer.slice(-was.length), was)) return [...longer.slice(0, -was.length), ...other];
  }
  const touch = !theirs.length || !mine.length || !theirs.at(-1).trim() || !mine[0].trim();
  return [...theirs, touch ? "" : whole ? "\n\n" : " ", ...mine];
}

// The list of what was found: one line for each answer, both texts, and two buttons. line = {label, at, kept, now, take}.
// Without take the text can only be copied. take() puts the text back; where it gives a sentence, that is why it could not,
// and the line stays; where it gives a function, that is done last, once what was kept is let go.
function offerKept(place, lines, language, clock, done) {
  if (!lines.length) return done();
  const list = place.querySelector("ul");
  const draft = place.querySelector("template");
  const left = new Set(lines);
  const settled = (line, row) => {
    left.delete(line);
    row.remove();
    if (left.size) {
      place.focus();
      return undefined;
    }
    place.hidden = true;
    document.getElementById("main").focus({ preventScroll: true }); // the button that was pressed is gone
    return done();
  };
  const taken = async (line, row) => {
    const after = await line.take();
    if (typeof after !== "string") {
      await settled(line, row);
      if (after) await after();
      return;
    }
    const trouble = row.querySelector("[data-trouble]");
    trouble.hidden = false;
    trouble.textContent = after;
  };
  for (const line of lines) {
    const row = draft.content.firstElementChild.cloneNode(true);
    row.querySelector("[data-label]").textContent = line.label;
    row.querySelector("[data-at]").textContent = clock(line.at);
    const [kept, now] = setApart(line.kept, line.now, language);
    drawPieces(row.querySelector("[data-kept]"), kept);
    if (line.now) drawPieces(row.querySelector("[data-now]"), now);
    else row.querySelector("[data-now]").parentElement.hidden = true;
    const take = row.querySelector("[data-take]");
    take.hidden = !line.take;
    take.addEventListener("click", () => taken(line, row));
    row.querySelector("[data-drop]").addEventListener("click", () => settled(line, row));
    list.append(row);
  }
  place.querySelector("[data-take-all]").hidden = lines.length < 2 || !lines.every((line) => line.take);
  place.querySelector("[data-take-all]").addEventListener("click", () => {
    for (const button of list.querySelectorAll("[data-take]")) button.click();
  });
  place.hidden = false;
  // who reads by ear is told, and led there unless they write already
  const aloud = document.querySelector("[data-save-aloud]");
  if (document.activeElement === document.body || !aloud) place.focus();
  else aloud.textContent = place.querySelector(".conflict-title").textContent.trim();
  return undefined;
}

// After a page was closed over unsaved text: what the server has already goes, what it has something newer for is shown
// as a conflict, the rest is offered.
async function recoverKept(records, page) {
  const { form, copy, dirty, stale, unitOf, fieldsOf, baseOf, heard, putBack, own, baseIn, packed, newKey, post, collide, settle, schedule, spoken, values, labelOf, arrived, dayAndTime, leave } = page;
  const place = document.querySelector("[data-recovered]");
  const lines = [];
  for (const { id, at, kept } of records) {
    const sent = await landed(kept);
    const orphans = [];
    for (const [name, pairs] of Object.entries(kept.names)) {
      const base = sent.get(name) ?? baseIn(name, pairs);
      if (name.startsWith("row:") || !unitOf(name)) orphans.push(name);
      else if (dirty.has(name) || stale.has(name)) continue; // written anew meanwhile, or asked about already
      else if (isShown(name, pairs)) { if (mended(name, pairs)) lines.push(offered(name, at, kept, joinedOnly(name, pairs))); }
      else if (isClosed(name)) lines.push({ ...offered(name, at, kept, pairs), take: null }); // by a return: to be copied
      else if (base === Number(baseOf(name)?.value || 0)) lines.push(offered(name, at, kept, pairs));
      else if (!(await meet(name, pairs, base))) lines.push(offered(name, at, kept, pairs, base)); // no line just now
    }
    if (orphans.length) lines.push(offeredRows(orphans, at, kept));
  }
  const done = async () => {
    await copy.now(); // what was taken is kept for this page before the old record goes
    for (const { id } of records) await copy.drop(id);
  };
  offerKept(place, lines, form.dataset.language, (at) => dayAndTime(at, form.dataset), done);

  function isClosed(name) {
    return fieldsOf(name).every((field) => field.type === "hidden" || field.disabled || field.readOnly);
  }

  function isShown(name, pairs) {
    return packed(own(name, [...new URLSearchParams(heard(name))])) === packed(own(name, pairs));
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
    if (!one) return Boolean(told) && !notTaken(told).length;
    putBack(name, pairs);
    baseOf(name).value = base;
    collide(one, mended(name, pairs));
    settle();
    return true;
  }

  // the joined text of a conflict that its writer had mended by hand
  function mended(name, pairs) {
    return (pairs.find(([field]) => field === `merged:${name}`) || [])[1] || "";
  }

  function joinedOnly(name, pairs) {
    return [[name, mended(name, pairs)], ...pairs.filter(([field]) => field.startsWith("base:"))];
  }

  // null where the server did not say what became of the answers: no line, or it is busy, or wants to know who this is
  async function ask(body) {
    try {
      const answer = await post(body);
      return [200, 409, 422].includes(answer.status) ? await answer.json() : null;
    } catch {
      return null;
    }
  }

  // what was sent and is not kept, such as an answer that was closed meanwhile
  function notTaken({ saved = [], refused = [] }) {
    return refused.filter((one) => !saved.some((each) => each.name === one.name));
  }

  function offered(name, at, kept, pairs, base = null) {
    const own_ = own(name, pairs).filter(([field]) => field === name).map((pair) => pair[1]);
    return {
      label: labelOf(name) || kept.labels[name],
      at,
      kept: spoken(name, own_),
      now: spoken(name, values(name)),
      take: () => {
        putBack(name, pairs);
        if (base !== null) baseOf(name).value = base;
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
    const cells = names.filter((name) => !name.startsWith("row:"));
    return {
      label: [...new Set((cells.length ? cells : names).map((name) => kept.labels[name]).filter(Boolean))].join(", "),
      at,
      kept: shown.join("\n"),
      now: "",
      take: async () => {
        let told = await ask(packed([...once, ["request_key", newKey()]]));
        // a colleague removed the row meanwhile: it is put back with what was written in it
        const gone = (told?.stale_rows || []).filter((one) => one.removed && !form.querySelector(`[data-row="${CSS.escape(one.name)}"]`));
        for (const one of gone) told = await ask(packed([...once, ["row-act", `restore:${one.name}`], ["request_key", newKey()]]));
        if (!told) return document.querySelector(".save-status").dataset.wordsHeld;
        if (notTaken(told).length) return notTaken(told)[0].message;
        if (!(told.stale_rows || []).length) return leave;
        arrived(told);
        return undefined;
      },
    };
  }
}

globalThis.tamdanTexts = { drawPieces, inBoth, mergeTexts, offerKept, recoverKept, setApart, wordsOf };
