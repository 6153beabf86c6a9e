// The rules of a questionnaire in the browser: the same frames and the same order as forms/frames.py, forms/scope.py and
// forms/evaluation.py. What it cannot know (a table of the server, a long pattern) stays as the server said it.
//
// rules (respond.rules, forms/browser.py): {order: [codes], parents: {code: code}, homes: {code: table}, tables:
// {code: {outer, rows: [keys] or null}}, folders: [[code, [codes]]], rules: {code: {relevant, calculation, required,
// constraint, choice_filter: tree}}, reads: {code: [codes]}, lists: {name: [row]}, labels: {code: {key: label}}}

class Frame {
  constructor(table, key, up, position) {
    Object.assign(this, { table, key, up, position, values: new Map(), hidden: new Set(), below: new Map() });
  }
}

const readCell = (frame, name) => frame.values.get(name) ?? "";

class Engine {
  constructor(rules, { today = "", now = "" } = {}) {
    this.facts = { today, now };
    this.rules = rules;
    this.compiled = new Map();
    for (const [code, own] of Object.entries(rules.rules)) {
      const made = {};
      for (const [role, tree] of Object.entries(own)) made[role] = tree === true ? () => true : compile(tree);
      this.compiled.set(code, made);
    }
    this.tables = new Map(Object.entries(rules.tables));
    this.homes = new Map(rules.order.map((code) => [code, ""]).concat(Object.entries(rules.homes)));
    this.parents = new Map(Object.entries(rules.parents));
    this.apexes = new Map();
    this.readers = new Map();
    for (const [code, names] of Object.entries(rules.reads)) {
      for (const name of names) this.readers.set(name, [...(this.readers.get(name) || []), code]);
    }
    this.missing = new Set(); // codes whose answer cannot be read here: what reads them waits for the server
    this.place({});
  }

  // rows: {table: [[key, parent key]]} in their order
  place(rows) {
    const before = this.of;
    this.root = new Frame("", "", null, 1);
    this.of = new Map([["", [this.root]]]);
    for (const [code, table] of this.tables) {
      const made = [];
      for (const up of this.of.get(table.outer)) {
        const keys = table.rows || (rows[code] || []).filter(([, parent]) => !table.outer || parent === up.key).map(([key]) => key);
        const below = [...new Set(keys)].map((key, place) => new Frame(code, key, up, place + 1));
        up.below.set(code, below);
        made.push(...below);
      }
      this.of.set(code, made);
    }
    this.byKey = new Map([...this.of].map(([code, frames]) => [code, new Map(frames.map((frame) => [frame.key, frame]))]));
    if (!before) return;
    for (const [table, frames] of this.of) {
      const old = new Map((before.get(table) || []).map((frame) => [frame.key, frame]));
      for (const frame of frames) {
        const known = old.get(frame.key);
        if (known) { frame.values = known.values; frame.hidden = known.hidden; }
      }
    }
  }

  frame(code, row) {
    const frames = this.of.get(this.homes.get(code) ?? "") || [];
    return row ? this.byKey.get(this.homes.get(code) ?? "").get(row) : frames[0];
  }

  chain(table) {
    const found = [table];
    while (found[found.length - 1]) found.push(this.homes.get(found[found.length - 1]) ?? "");
    return found;
  }

  // the nearest table in whose row a row of `table` and an answer both stand
  apex(table, code) {
    const key = `${table}\n${code}`;
    if (!this.apexes.has(key)) {
      let mine = this.chain(table);
      if (this.tables.has(code) && mine.includes(code)) mine = mine.slice(mine.indexOf(code) + 1);
      const theirs = this.chain(this.homes.get(code) ?? "");
      this.apexes.set(key, mine.find((one) => theirs.includes(one)) ?? "");
    }
    return this.apexes.get(key);
  }

  scope(frame, here = "") {
    const engine = this;
    return {
      here, position: frame.position, size: 1,
      value(name) {
        for (let one = frame; one; one = one.up) {
          const found = one.values.get(name);
          if (found !== undefined) return found;
        }
        if (engine.missing.has(name)) throw new Unknown(name);
        return this.nodes(name)[0] ?? "";
      },
      nodes(name) {
        return engine.homes.has(name) ? this.cells(name, engine.apex(frame.table, name), []) : [];
      },
      cells(code, apex, sieves) { return engine.cells(this, frame, code, apex, sieves); },
      row(table) {
        for (let one = frame; one; one = one.up) if (one.table === table) return one.position;
        return 1;
      },
      table(name) {
        if (Object.hasOwn(engine.rules.lists, name)) return engine.rules.lists[name];
        throw new Unknown(name);
      },
      column() { return ""; },
      today() { return engine.facts.today; },
      now() { if (!engine.facts.now) throw new Unknown("now"); return engine.facts.now; },
      label(name, key) {
        const labels = engine.rules.labels[name];
        return labels && Object.hasOwn(labels, key) ? labels[key] : key;
      },
    };
  }

  cells(scope, frame, code, apex, sieves) {
    const table = this.tables.has(code) ? code : this.homes.get(code);
    let start = frame;
    while (start && start.table !== apex) start = start.up;
    if (table === undefined || !start) return [];
    const chain = this.chain(table);
    let found = [start];
    for (const lower of chain.slice(0, Math.max(0, chain.indexOf(apex))).reverse()) {
      const mine = sieves.filter((one) => one.table === lower);
      found = found.flatMap((one) => (one.hidden.has(lower) ? [] : sifted(scope, one.below.get(lower) || [], mine, readCell)));
    }
    if (code === table) return found.map((one) => one.key);
    if (this.missing.has(code)) throw new Unknown(code);
    found = found.filter((one) => one.values.has(code) && !one.hidden.has(code));
    const own = sieves.filter((one) => one.table === code);
    if (own.length) found = sifted(scope, found, own, readCell, (one) => one.values.get(code));
    return found.map((one) => one.values.get(code));
  }

  // Compute in the order of what reads what: everything, or only what reads `changed` (a set of codes). `answer(code, row)`
  // gives what is answered as text, undefined where nothing is answered but computed, null for what cannot be read here.
  // Returns the codes gone through.
  compute(answer, changed = null) {
    const due = changed ? this.due(changed) : null;
    const gone = [];
    for (const code of this.rules.order) {
      if (due && !due.has(code)) continue;
      gone.push(code);
      for (const frame of this.of.get(this.homes.get(code)) || []) this.step(code, frame, answer);
    }
    for (const [code, children] of this.rules.folders) {
      for (const frame of this.of.get(this.homes.get(code)) || []) {
        if (children.length && children.every((child) => frame.hidden.has(child))) frame.hidden.add(code);
      }
    }
    return gone;
  }

  due(changed) {
    const due = new Set(changed);
    for (const code of due) for (const reader of this.readers.get(code) || []) due.add(reader); // grows while it is walked
    // a folder is shown again when something in it is
    for (const code of [...due]) for (let up = this.parents.get(code); up; up = this.parents.get(up)) due.add(up);
    return due;
  }

  step(code, frame, answer) {
    const own = this.compiled.get(code) || {};
    const scope = this.scope(frame);
    const parent = this.parents.get(code);
    const above = parent !== undefined && (parent === frame.table && frame.up ? frame.up : frame).hidden.has(parent);
    const given = answer(code, frame.key);
    try {
      const shown = !above && (!own.relevant || truth(own.relevant(scope)));
      frame.hidden[shown ? "delete" : "add"](code);
      if (!shown) { if (given !== undefined || own.calculation) frame.values.set(code, ""); return; }
      if (own.calculation) {
        scope.here = frame.values.get(code) ?? "";
        const result = own.calculation(scope);
        frame.values.set(code, typeof result === "number" && !Number.isFinite(result) ? "" : text(result));
        return;
      }
    } catch (trouble) {
      if (!(trouble instanceof Unknown)) throw trouble; // else it stays as the server said
    }
    if (given === null) {
      this.missing.add(code);
      frame.values.delete(code);
    } else if (given !== undefined) {
      this.missing.delete(code);
      frame.values.set(code, given);
    }
  }

  // Run one rule of a question in one row; undefined when it cannot be decided here.
  judge(code, role, row, here = "") {
    const rule = (this.compiled.get(code) || {})[role];
    const frame = this.frame(code, row);
    if (!rule || !frame) return undefined;
    try {
      return rule(this.scope(frame, here));
    } catch (trouble) {
      if (trouble instanceof Unknown) return undefined;
      throw trouble;
    }
  }

  // Run a tree that stands at a question, for tests and previews.
  run(tree, code, row, here = "") {
    return compile(tree)(this.scope(this.frame(code, row) || this.root, here));
  }

  // The choices of a list that a filter lets through, as keys; undefined when it cannot be decided here.
  offered(code, row, choices) {
    const rule = (this.compiled.get(code) || {}).choice_filter;
    const frame = this.frame(code, row);
    if (!rule || !frame) return undefined;
    try {
      return choices.filter((choice) => {
        const scope = this.scope(frame);
        scope.column = (name) => cellOf(choice, name);
        return truth(rule(scope));
      }).map((choice) => choice.name);
    } catch (trouble) {
      if (trouble instanceof Unknown) return undefined;
      throw trouble;
    }
  }
}

globalThis.tamdanRules = { Engine, compile, number, text, truth };
