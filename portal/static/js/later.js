// Tables that are not asked at present come beside the page, once: the browser keeps them (portal/blueprints/later_tables.py).
// They are put in hidden, as they stood; rules show them. What did not arrive comes when the line is back.

async function laterTables() {
  const answer = await fetch(form.dataset.later, { headers: { Accept: "application/json" }, credentials: "same-origin" }).catch(() => null);
  const tables = answer && answer.ok ? await answer.json().catch(() => null) : null;
  if (!tables) {
    addEventListener("online", laterTables, { once: true });
    return;
  }
  for (const [code, html] of Object.entries(tables)) {
    const place = form.querySelector(`[data-later-table][data-item="${CSS.escape(code)}"]`);
    if (!place) continue;
    // the portal's own page in pieces, drawn and escaped by the macros that draw it whole; in a template nothing runs
    const holder = document.createElement("template");
    holder.innerHTML = html;
    const table = holder.content.firstElementChild;
    table.hidden = place.hidden;
    place.replaceWith(table);
  }
  tell("later");
  tell("rows");
}
