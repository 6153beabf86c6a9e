// Expressions in the browser: the same trees, values and functions as forms/expressions, checked against it by the
// vectors of tests/vectors, every one of which runs in both. What only the server knows throws Unknown.

class Unknown extends Error {}

const DATE = /^(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,6}))?)?(Z|[+-]\d\d:\d\d)?)?$/;
const TIME = /^(?:.*T)?(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,6})\d*)?)?(?:Z|[+-]\d\d:\d\d)?$/;
const NUMBER = /^[ \t\r\n]*(-?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+))[ \t\r\n]*$/;
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MAX_RESULT = 100000;
const MAX_MATCHED = 100; // characters that a pattern may be tried on here; longer texts wait for the server

// --- values ----------------------------------------------------------------------------------------------------------

// the parts of an ISO date or moment: {days, hour, minute, second, millisecond, offset in minutes}; null when it is none
function parts(value) {
  const found = value.length <= 64 ? DATE.exec(value.replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, "")) : null;
  if (!found) return null;
  const [year, month, date] = [Number(found[1]), Number(found[2]), Number(found[3])];
  const moment = new Date(0);
  moment.setUTCFullYear(year, month - 1, date);
  if (moment.getUTCMonth() !== month - 1 || moment.getUTCDate() !== date || year < 1) return null;
  const [hour, minute, second] = [Number(found[4] || 0), Number(found[5] || 0), Number(found[6] || 0)];
  if (hour > 23 || minute > 59 || second > 59) return null;
  const zone = found[8];
  const offset = zone && zone !== "Z" ? (Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4, 6))) * (zone[0] === "-" ? -1 : 1) : 0;
  return { days: Math.round(moment.getTime() / 86400000), timed: found[4] !== undefined, hour, minute, second, fraction: Number(`0.${found[7] || 0}`), offset };
}

function days(value) {
  const found = parts(value);
  if (!found) return NaN;
  if (!found.timed) return found.days;
  return found.days + (found.hour * 3600 + (found.minute - found.offset) * 60 + found.second + found.fraction) / 86400;
}

function number(value) {
  if (typeof value === "boolean") return value ? 1 : 0;
  if (typeof value === "number") return value;
  const found = value.length <= 400 ? NUMBER.exec(value) : null;
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

// --- functions -------------------------------------------------------------------------------------------------------

const whole = (value, otherwise = 0) => {
  const count = number(value);
  return Number.isNaN(count) ? otherwise : Math.trunc(Math.max(-1e9, Math.min(1e9, count)));
};
const numbers = (values) => values.filter((value) => value !== "").map(number);
const signs = (value) => [...text(value)];
const words = (value) => text(value).match(/[^ \t\r\n]+/g) || [];
const held = (value) => (value.length > MAX_RESULT ? signs(value).slice(0, MAX_RESULT).join("") : value);

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
  const found = typeof value === "string" ? parts(value) : null;
  const count = found ? found.days : Math.floor(number(value));
  return count >= -719162 && count <= 2932896 ? new Date(count * 86400000) : null;
}

function dateText(value) {
  const found = typeof value === "boolean" ? null : day(value);
  return found ? formatDate(found.getTime() / 86400000, "%Y-%m-%d") : "";
}

function formatDate(value, pattern) {
  const when = day(value);
  if (!when) return "";
  const two = (part) => String(part).padStart(2, "0");
  const timed = typeof value === "string" ? parts(value) : null;
  const { hour, minute, second, fraction } = timed || { hour: 0, minute: 0, second: 0, fraction: 0 };
  const [year, month, date] = [when.getUTCFullYear(), when.getUTCMonth() + 1, when.getUTCDate()];
  const letters = {
    Y: String(year).padStart(4, "0"), y: two(year % 100), m: two(month), n: String(month), b: MONTHS[month - 1], d: two(date),
    e: String(date), a: DAYS[when.getUTCDay()], H: two(hour), h: String(hour), M: two(minute), S: two(second),
    3: String(Math.floor(fraction * 1000 + 1e-9)).padStart(3, "0"), "%": "%",
  };
  const written = text(pattern).replace(/%([^])/gu, (found, letter) => (Object.hasOwn(letters, letter) ? letters[letter] : found));
  return signs(written).slice(0, 1000).join("");
}

function dayFraction(value) {
  const found = text(value).length <= 64 ? TIME.exec(text(value)) : null;
  if (!found) return NaN;
  const [hour, minute, second] = [Number(found[1]), Number(found[2]), Number(found[3] || 0)];
  if (hour > 23 || minute > 59 || second > 59) return NaN;
  return (hour * 3600 + minute * 60 + second + Number(`0.${found[4] || 0}`)) / 86400;
}

function translate(value, old, fresh) {
  const into = signs(fresh);
  const table = new Map();
  signs(old).forEach((sign, place) => { if (!table.has(sign)) table.set(sign, into[place] ?? ""); });
  return signs(value).map((sign) => (table.has(sign) ? table.get(sign) : sign)).join("");
}

function decoded(value) {
  const written = text(value);
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(written) || written.length % 4) return "";
  try {
    return held(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Uint8Array.from(atob(written), (sign) => sign.charCodeAt(0))));
  } catch {
    return "";
  }
}

const power = (base, exponent) => (base === 1 || exponent === 0 ? 1 : base ** exponent);
const ticked = (value) => (typeof value === "string" ? value === "yes" : truth(value));

function between(least, most, count) {
  const [low, high] = [number(least), number(most)];
  return (low === -1 || low <= count) && (high === -1 || high >= count);
}

const of = (work) => (...values) => work(...values.map(number));

const FUNCTIONS = {
  true: () => true,
  false: () => false,
  not: (value) => !truth(value),
  boolean: truth,
  "boolean-from-string": (value) => text(value) === "1" || text(value) === "true",
  number,
  string: text,
  int: (value) => (Number.isFinite(number(value)) ? Math.trunc(number(value)) : number(value)),
  round,
  abs: of(Math.abs),
  floor: of(Math.floor),
  ceiling: of(Math.ceil),
  pow: of(power),
  sqrt: of(Math.sqrt),
  log: of(Math.log),
  log10: of(Math.log10),
  exp: of(Math.exp),
  exp10: of((value) => power(10, value)),
  sin: of(Math.sin), cos: of(Math.cos), tan: of(Math.tan), asin: of(Math.asin), acos: of(Math.acos), atan: of(Math.atan),
  atan2: of(Math.atan2),
  pi: () => Math.PI,
  sum: (...values) => numbers(values).reduce((total, one) => total + one, 0),
  min: (...values) => extreme(values, Math.min),
  max: (...values) => extreme(values, Math.max),
  count: (...values) => values.length,
  "count-non-empty": (...values) => values.filter((value) => value !== "").length,
  selected: (chosen, key) => words(chosen).includes(text(key).trim()),
  "count-selected": (chosen) => words(chosen).length,
  "selected-at": (chosen, index) => words(chosen)[whole(index, -1)] || "",
  concat: (...values) => held(values.map(text).join("")),
  join: (mark, ...values) => held(values.map(text).join(text(mark))),
  contains: (value, part) => text(value).includes(text(part)),
  "starts-with": (value, part) => text(value).startsWith(text(part)),
  "ends-with": (value, part) => text(value).endsWith(text(part)),
  "string-length": (value) => signs(value).length,
  "normalize-space": (value) => words(value).join(" "),
  substr: (value, start, end) => signs(value).slice(whole(start), end === undefined ? undefined : whole(end)).join(""),
  "substring-before": (value, mark) => (text(mark) && text(value).includes(text(mark)) ? text(value).split(text(mark))[0] : ""),
  "substring-after": (value, mark) => (text(mark) ? text(value).split(text(mark)).slice(1).join(text(mark)) : text(value)),
  translate,
  "base64-decode": decoded,
  date: dateText,
  "format-date": formatDate,
  "format-date-time": formatDate,
  "decimal-date-time": (value) => (typeof value === "number" ? value : days(text(value))),
  "decimal-time": dayFraction,
  checklist: (least, most, ...values) => between(least, most, values.filter(ticked).length),
  "weighted-checklist": (least, most, ...pairs) =>
    between(least, most, pairs.reduce((total, value, place) => total + (place % 2 === 0 && place + 1 < pairs.length && ticked(value) ? number(pairs[place + 1]) : 0), 0)),
};

function extreme(values, pick) {
  const found = numbers(values);
  return found.length ? found.reduce((left, right) => pick(left, right)) : NaN;
}

const LEADING = { join: 1, checklist: 2 }; // first arguments of these that are one value each, whatever they name
const OVER_ROWS = new Set(["sum", "min", "max", "count", "count-non-empty", "join", "concat", "checklist"]);
const OF_ITSELF = new Set(["string-length", "normalize-space"]);

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

// --- from a tree to a closure ----------------------------------------------------------------------------------------
// scope: here, position, size, value(name), nodes(name), cells(code, apex, sieves), row(table), table(name),
// column(name), today(), now(), label(name, key); see forms/expressions/scope.py

function compile(tree) {
  const [kind, first, ...rest] = tree;
  switch (kind) {
    case "num": case "text": return () => first;
    case "ref": return (scope) => scope.value(first);
    case "col": return (scope) => scope.column(first);
    case "self": return (scope) => scope.here;
    case "row": return (scope) => scope.row(first);
    case "cells": case "lookup": { const nodes = nodesOf(tree); return (scope) => nodes(scope)[0] ?? ""; }
    case "op": return operation(first, rest, tree);
    case "call": return call(first, rest);
    default: return () => { throw new Unknown(kind); };
  }
}

function operation(sign, trees, tree) {
  if (sign === "|") { const nodes = nodesOf(tree); return (scope) => nodes(scope)[0] ?? ""; }
  const rules = trees.map(compile);
  if (sign === "and") return (scope) => rules.every((rule) => truth(rule(scope)));
  if (sign === "or") return (scope) => rules.some((rule) => truth(rule(scope)));
  const [left, right] = rules;
  if (!right) return (scope) => -number(left(scope));
  const operate = OPERATORS[sign];
  return (scope) => operate(left(scope), right(scope));
}

// all the answers that a tree names; null when it names none but computes a value
function nodesOf([kind, first, second, ...rest]) {
  if (kind === "ref") return (scope) => scope.nodes(first);
  if (kind === "cells") { const sieves = sievesOf(rest); return (scope) => scope.cells(first, second, sieves); }
  if (kind === "lookup") {
    const sieves = sievesOf(rest);
    return (scope) => sifted(scope, scope.table(first), sieves, cellOf).map((row) => cellOf(row, second));
  }
  if (kind === "op" && first === "|") {
    const several = [second, ...rest].map(nodesOf).filter(Boolean);
    return (scope) => several.flatMap((nodes) => nodes(scope));
  }
  return null;
}

const cellOf = (row, name) => (Object.hasOwn(row, name) ? row[name] : "");
const sievesOf = (filters) => filters.map(([table, tree, outside]) => ({ table, rule: compile(tree), outside }));

// the candidates that all conditions in brackets let through, one condition after the other
function sifted(scope, found, sieves, column, here = () => "") {
  for (const { rule, outside } of sieves) {
    const fixed = outside ? rule(scope) : undefined;
    const size = found.length;
    found = found.filter((one, place) => {
      const inside = outside ? null : Object.create(scope, {
        here: { value: here(one) }, position: { value: place + 1 }, size: { value: size },
        column: { value: (name) => column(one, name) },
      });
      const result = outside ? fixed : rule(inside);
      return typeof result === "number" ? result === place + 1 : truth(result);
    });
  }
  return found;
}

function call(name, trees) {
  if (name === "regex") return matcher(trees);
  if (name === "jr:choice-name") return choiceName(trees);
  const rules = trees.map(compile);
  const [first, second, third] = rules;
  switch (name) {
    case "if": return (scope) => (truth(first(scope)) ? second(scope) : third(scope));
    case "once": return (scope) => scope.here || first(scope);
    case "today": return (scope) => scope.today();
    case "now": return (scope) => scope.now();
    case "position": return (scope) => scope.position;
    case "last": return (scope) => scope.size;
    case "coalesce": return (scope) => {
      for (const rule of rules) {
        const value = rule(scope);
        if (value !== "") return value;
      }
      return "";
    };
    case "pulldata": return (scope) => {
      const [column, key] = [text(second(scope)), text(third(scope))];
      const asked = text(rules[3](scope));
      const row = scope.table(text(first(scope))).find((one) => cellOf(one, key) === asked);
      return row ? cellOf(row, column) : "";
    };
    default:
  }
  if (!Object.hasOwn(FUNCTIONS, name)) return () => { throw new Unknown(name); };
  const run = FUNCTIONS[name];
  if (OVER_ROWS.has(name)) {
    const nodes = trees.map((tree, place) => (place < (LEADING[name] ?? 0) ? undefined : nodesOf(tree)));
    return (scope) => run(...nodes.flatMap((named, place) => (named ? named(scope) : [rules[place](scope)])));
  }
  if (!rules.length && OF_ITSELF.has(name)) return (scope) => run(scope.here);
  if (rules.length === 1) return (scope) => run(first(scope));
  if (rules.length === 2) return (scope) => run(first(scope), second(scope));
  return (scope) => run(...rules.map((rule) => rule(scope)));
}

// the server sends only patterns that cannot run for ever, put into this language; null for the others
function matcher([value, [, pattern]]) {
  const read = compile(value);
  const known = typeof pattern === "string" ? new RegExp(`^(?:${pattern})$`, "u") : null;
  return (scope) => {
    const whole = text(read(scope));
    if (!known || whole.length > MAX_MATCHED) throw new Unknown("regex");
    return known.test(whole);
  };
}

function choiceName([key, question]) {
  const read = compile(key);
  const name = question[0] === "ref" ? question[1] : question[0] === "text" ? question[1].trim().replace(/^\$\{\s*|\s*\}$/g, "") : "";
  return (scope) => scope.label(name, text(read(scope)));
}
