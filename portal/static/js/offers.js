// The choices of a question that fit the other answers. A page comes with those that fitted when it was made and with what
// is chosen; the others are made here. A part of relevance.js.
//
// [data-offers="radio" or "checkbox"] holds labels with a field each; a drop-down holds its options; [data-no-offer] is what
// is said where nothing is on offer, summary[data-count] says how many are. What is locked is left as it came.

const offeredBefore = new WeakMap();

const listsOf = (item, name) => [...item.querySelectorAll("select")].filter((one) => one.name === name && !one.disabled);
const isChosen = (option) => option.checked || (option.selected && option.tagName === "OPTION");
const optionsOf = (item, name) => [
  ...item.querySelectorAll("[data-offers] input"),
  ...listsOf(item, name).flatMap((list) => [...list.options].filter((option) => option.value)),
];

// Shows the choices named by `keys` and hides the others, all but what is chosen: that stays until the server has spoken.
// Returns the fields that were added.
function leave(item, name, choices, keys) {
  const chosen = optionsOf(item, name).filter(isChosen).map((option) => option.value);
  const now = JSON.stringify([[...keys], chosen]);
  if (offeredBefore.get(item) === now) return [];
  offeredBefore.set(item, now);
  const added = complete(item, name, choices, keys);
  let shown = 0;
  for (const option of optionsOf(item, name)) {
    const gone = !keys.has(option.value) && !isChosen(option);
    option.disabled = gone;
    (option.closest("label") || option).hidden = gone;
    shown += gone ? 0 : 1;
  }
  // a ranking has as many places as choices
  for (const [at, place] of [...item.querySelectorAll(".ranks > li")].entries()) place.hidden = at >= keys.size && !place.querySelector("select").value;
  const nothing = item.querySelector("[data-no-offer]");
  if (nothing) nothing.hidden = shown > 0;
  const count = item.querySelector("summary[data-count]");
  if (count) count.textContent = count.dataset.count.replace("{n}", inDigits(shown));
  return added;
}

const inDigits = (text) => (KHMER ? String(text).replace(/[0-9]/g, (digit) => String.fromCharCode(0x17e0 + Number(digit))) : String(text));

// Adds the choices of `keys` that are not there, each in its place. Returns the fields that were added.
function complete(item, name, choices, keys) {
  // a list that is narrowed by its search box holds only a part of itself
  document.dispatchEvent(new CustomEvent("tamdan:offering", { detail: item }));
  const added = [];
  const box = item.querySelector("[data-offers]");
  if (box) {
    const there = new Map([...box.querySelectorAll("input")].map((field) => [field.value, field.closest("label")]));
    putIn(box, null, there, choices, keys, (choice) => {
      const label = labelled(choice, box.dataset.offers, name);
      added.push(label.firstChild);
      return label;
    });
  }
  for (const list of listsOf(item, name)) {
    const there = new Map([...list.options].map((option) => [option.value, option]));
    putIn(list, there.get("") || null, there, choices, keys, (choice) => {
      const option = new Option(choice.label, choice.name);
      if (choice.label.includes("${")) option.dataset.wording = choice.label;
      return option;
    });
  }
  return added;
}

function putIn(box, first, there, choices, keys, make) {
  let last = first;
  for (const choice of choices) {
    let element = there.get(choice.name);
    if (!element) {
      if (!keys.has(choice.name)) continue;
      element = make(choice);
      if (last) last.after(element);
      else box.prepend(element);
    }
    last = element;
  }
}

function labelled(choice, type, name) {
  const label = document.createElement("label");
  label.className = "option";
  const field = document.createElement("input");
  Object.assign(field, { type, name, value: choice.name });
  const words = document.createElement("span");
  words.textContent = choice.label;
  if (choice.label.includes("${")) words.dataset.wording = choice.label;
  label.append(field, words);
  return label;
}
