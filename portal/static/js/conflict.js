// Two texts of one answer: what sets them apart, word by word, and both joined. Texts reach the page as text, never as
// markup. The same steps in Python: forms/definition/word_diff.py, forms/merging.py.

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

globalThis.tamdanTexts = { inBoth, mergeTexts, setApart, wordsOf };
