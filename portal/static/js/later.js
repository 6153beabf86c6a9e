// Tables that are not asked at present come beside the page, once: the browser keeps them (portal/blueprints/later_tables.py).
// They are put in hidden, as they stood; rules show them. What did not arrive comes when the line is back.
// What the browser keeps has the first, empty row of each table in it: every tab that puts it in gives that row a key of its
// own, or two tabs of one person would begin the same row. Rows of a given number keep theirs: these are the same everywhere.

const ROW_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

function rowKey() {
  let key = "";
  while (key.length < 16) {
    for (const byte of crypto.getRandomValues(new Uint8Array(32))) if (byte < 248 && key.length < 16) key += ROW_LETTERS[byte % 62];
  }
  return key;
}

function withOwnRows(html) {
  const holder = document.createElement("template");
  // drawn and escaped by the portal's own macros; in a template nothing runs
  holder.innerHTML = html;
  for (const blank of holder.content.querySelectorAll("fieldset > template[data-blank]")) {
    for (const row of blank.parentElement.querySelectorAll("tr[data-row]")) {
      const [, code, key] = row.dataset.row.match(/^(.+)\[([A-Za-z0-9]{16})\]$/) || [];
      const base = key && holder.content.querySelector(`input[name="${CSS.escape(`row-base:${code}[${key}]`)}"]`);
      if (base && base.value === "0") html = html.replaceAll(key, rowKey());
    }
  }
  holder.innerHTML = html;
  return holder.content.firstElementChild;
}

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
    const table = withOwnRows(html);
    table.hidden = place.hidden;
    place.replaceWith(table);
  }
  tell("later");
  tell("rows");
}
