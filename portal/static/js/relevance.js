// Shows and hides questions as the reader answers, before the server has spoken. It walks the same trees as
// forms/expressions: ["num", 1] ["text", "a"] ["ref", name] ["self"] ["op", sign, part...] ["call", name, part...].
// The address in data-rules gives {"relevant": {code: tree}, "inside": {code: parent code}}. A rule that reads an answer of
// another page, or a function not known here, is left to the server, which always decides.

class Unknown extends Error {}

const DATE = /^(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)?)?$/;

function days(value) {
  const found = DATE.exec(value.trim());
  if (!found) return NaN;
  const [year, month, day] = [Number(found[1]), Number(found[2]), Number(found[3])];
  const moment = new Date(0);
  moment.setUTCFullYear(year, month - 1, day);
  if (moment.getUTCMonth() !== month - 1 || moment.getUTCDate() !== day || year < 1) return NaN;
  const whole = Math.round(moment.getTime() / 86400000);
  if (found[4] === undefined) return whole;
  const [hours, minutes, seconds] = [Number(found[4]), Number(found[5]), Number(found[6] || 0)];
  if (hours > 23 || minutes > 59 || seconds > 59) return NaN;
  const zone = found[8];
  const offset = zone && zone !== "Z" ? (Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4, 6))) * (zone[0] === "-" ? -1 : 1) : 0;
  return whole + (hours * 3600 + (minutes - offset) * 60 + seconds + Number(`0${found[7] || ""}`)) / 86400;
}

function number(value) {
  if (typeof value === "boolean") return value ? 1 : 0;
  if (typeof value === "number") return value;
  const found = value.length <= 400 ? /^[ \t\r\n]*(-?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+))[ \t\r\n]*$/.exec(value) : null;
  return found ? Number(found[1]) : days(value);
}

function text(value) {
  if (typeof value === "string") return value;
  if (typeof value === "boolean") return value ? "true" : "false";
  if (value === 0) return "0";
  const written = String(value);
  const split = /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(written);
  if (!split) return written;
  const [, sign, first, rest = "", power] = split;
  const places = Number(power);
  return places < 0 ? `${sign}0.${"0".repeat(-places - 1)}${first}${rest}` : sign + first + rest.padEnd(places, "0");
}

function truth(value) {
  if (typeof value === "number") return value !== 0 && !Number.isNaN(value);
  return typeof value === "boolean" ? value : value !== "";
}

function equal(left, right) {
  if (typeof left === "boolean" || typeof right === "boolean") return truth(left) === truth(right);
  if (typeof left === "number" || typeof right === "number") return number(left) === number(right);
  return left === right;
}

const whole = (value, otherwise = 0) => {
  const count = number(value);
  return Number.isNaN(count) ? otherwise : Math.trunc(Math.max(-1e9, Math.min(1e9, count)));
};
const numbers = (values) => values.filter((value) => value !== "").map(number);
const signs = (value) => [...text(value)];

function round(value, places = 0) {
  const count = number(value);
  const digits = Math.max(-15, Math.min(15, whole(places)));
  if (!Number.isFinite(count)) return count;
  const factor = 10 ** Math.abs(digits);
  if (digits < 0) return Math.floor(count / factor + 0.5) * factor;
  const scaled = count * factor + 0.5;
  return Number.isFinite(scaled) ? Math.floor(scaled) / factor : count;
}

// the calendar day that a text or a number of days means, null for none
function day(value) {
  const count = Math.floor(typeof value === "string" && DATE.test(value.trim()) ? days(value.trim().slice(0, 10)) : number(value));
  return count >= -719162 && count <= 2932896 ? new Date(count * 86400000) : null;
}

function formatDate(value, pattern) {
  if (typeof value === "string" && value.includes("T")) throw new Unknown("time of day");
  const when = day(value);
  if (!when) return "";
  const two = (part) => String(part).padStart(2, "0");
  const [year, month, date] = [when.getUTCFullYear(), when.getUTCMonth() + 1, when.getUTCDate()];
  const letters = {
    Y: String(year).padStart(4, "0"), y: two(year % 100), m: two(month), n: String(month), d: two(date), e: String(date),
    H: "00", h: "0", M: "00", S: "00", 3: "000", "%": "%",
  };
  return text(pattern).replace(/%([^])/gu, (found, letter) => (Object.hasOwn(letters, letter) ? letters[letter] : found));
}

function translate(value, old, fresh) {
  const into = signs(fresh);
  const table = new Map();
  signs(old).forEach((sign, place) => { if (!table.has(sign)) table.set(sign, into[place] ?? ""); });
  return signs(value).map((sign) => (table.has(sign) ? table.get(sign) : sign)).join("");
}

const list = (value) => text(value).match(/[^ \t\r\n]+/g) || [];
const OPERATORS = {
  "=": equal,
  "!=": (left, right) => !equal(left, right),
  "<": (left, right) => number(left) < number(right),
  "<=": (left, right) => number(left) <= number(right),
  ">": (left, right) => number(left) > number(right),
  ">=": (left, right) => number(left) >= number(right),
  "+": (left, right) => number(left) + number(right),
  "-": (left, right) => number(left) - number(right),
  "*": (left, right) => number(left) * number(right),
  div: (left, right) => number(left) / number(right),
  mod: (left, right) => number(left) % number(right),
};
const FUNCTIONS = {
  true: () => true,
  false: () => false,
  not: (value) => !truth(value),
  boolean: truth,
  "boolean-from-string": (value) => ["1", "true"].includes(text(value)),
  number,
  string: text,
  int: (value) => Math.trunc(number(value)),
  abs: (value) => Math.abs(number(value)),
  selected: (chosen, key) => list(chosen).includes(text(key).trim()),
  "count-selected": (chosen) => list(chosen).length,
  "selected-at": (chosen, index) => list(chosen)[number(index)] || "",
  concat: (...parts) => parts.map(text).join(""),
  contains: (whole, part) => text(whole).includes(text(part)),
  "starts-with": (whole, part) => text(whole).startsWith(text(part)),
  "ends-with": (whole, part) => text(whole).endsWith(text(part)),
  "string-length": (value) => [...text(value)].length,
  "normalize-space": (value) => list(value).join(" "),
  round,
  pow: (base, power) => (number(base) === 1 || number(power) === 0 ? 1 : number(base) ** number(power)),
  sqrt: (value) => Math.sqrt(number(value)),
  log: (value) => Math.log(number(value)),
  log10: (value) => Math.log10(number(value)),
  exp: (value) => Math.exp(number(value)),
  pi: () => Math.PI,
  sum: (...values) => numbers(values).reduce((total, one) => total + one, 0),
  min: (...values) => (numbers(values).length ? Math.min(...numbers(values)) : NaN),
  max: (...values) => (numbers(values).length ? Math.max(...numbers(values)) : NaN),
  count: (...values) => values.filter((value) => value !== "").length,
  "count-non-empty": (...values) => values.filter((value) => value !== "").length,
  join: (between, ...values) => values.map(text).join(text(between)),
  substr: (value, start, end) => signs(value).slice(whole(start), end === undefined ? undefined : whole(end)).join(""),
  "substring-before": (value, mark) => (text(mark) && text(value).includes(text(mark)) ? text(value).split(text(mark))[0] : ""),
  "substring-after": (value, mark) => (text(mark) ? text(value).split(text(mark)).slice(1).join(text(mark)) : text(value)),
  translate,
  date: (value) => { const found = day(value); return found ? formatDate(found.getTime() / 86400000, "%Y-%m-%d") : ""; },
  "format-date": formatDate,
  "format-date-time": formatDate,
  "decimal-date-time": (value) => days(text(value)),
};

// scope: {value(name) -> text, here, today}
function evaluate(tree, scope) {
  const [kind, first, ...parts] = tree;
  const run = (part) => evaluate(part, scope);
  if (kind === "num" || kind === "text") return first;
  if (kind === "ref") return scope.value(first);
  if (kind === "self") return scope.here || "";
  if (kind === "op") {
    if (first === "and") return parts.every((part) => truth(run(part)));
    if (first === "or") return parts.some((part) => truth(run(part)));
    if (parts.length === 1) return -number(run(parts[0]));
    return OPERATORS[first](run(parts[0]), run(parts[1]));
  }
  if (kind === "call") {
    if (first === "if") return truth(run(parts[0])) ? run(parts[1]) : run(parts[2]);
    if (first === "once") return scope.here || run(parts[0]);
    if (first === "today" && scope.today) return scope.today;
    if (first === "coalesce") {
      for (const part of parts) {
        const value = run(part);
        if (value !== "") return value;
      }
      return "";
    }
    if (Object.hasOwn(FUNCTIONS, first)) return FUNCTIONS[first](...parts.map(run));
  }
  throw new Unknown(kind);
}

globalThis.tamdanExpressions = { evaluate, number, text, truth };

const form = document.querySelector("form[data-rules]");

function answerOf(code) {
  const item = form.querySelector(`.question[data-item="${CSS.escape(code)}"]`);
  if (!item) throw new Unknown(code);
  if (item.hidden) return "";
  const state = item.querySelector('input[name$="!state"]:checked');
  if (state && state.value !== "answered") return "";
  const chosen = [];
  for (const field of item.querySelectorAll("input, select, textarea")) {
    if (!field.name || /[!:]/.test(field.name) || field.type === "file") continue;
    if (/radio|checkbox/.test(field.type)) {
      if (field.checked) chosen.push(field.value);
    } else if (field.value.trim()) {
      return field.value.trim().replace(/[\u17e0-\u17e9]/g, (digit) => String(digit.charCodeAt(0) - 0x17e0));
    }
  }
  return chosen.join(" ");
}

function apply({ relevant, inside = {} }) {
  const items = [...form.querySelectorAll("[data-item]")];
  const shown = new Map();
  const decide = (code) => {
    const parent = inside[code];
    const above = parent === undefined ? true : shown.has(parent) ? shown.get(parent) : decide(parent);
    if (above === false) return false;
    if (!relevant[code]) return above;
    try {
      return truth(evaluate(relevant[code], { value: answerOf, today: form.dataset.today })) ? above : false;
    } catch (error) {
      if (error instanceof Unknown) return undefined; // the server knows
      throw error;
    }
  };
  // an answer that becomes hidden reads as "", which may hide others: again until nothing moves
  for (let round = 0; round < items.length + 1; round += 1) {
    let moved = false;
    shown.clear();
    for (const item of items) {
      const now = decide(item.dataset.item);
      shown.set(item.dataset.item, now);
      if (now === undefined || item.hidden === !now) continue;
      item.hidden = !now;
      moved = true;
    }
    if (!moved) return;
  }
}

if (form) {
  const answer = await fetch(form.dataset.rules, { headers: { Accept: "application/json" }, credentials: "same-origin" }).catch(() => null);
  if (answer && answer.ok) {
    const rules = await answer.json();
    apply(rules);
    document.addEventListener("tamdan:changed", () => apply(rules));
  }
}
