// Niceties of every page: dialogs, menus, copying, printing, focus on the error summary. Every page works without it.

for (const opener of document.querySelectorAll("[data-opens]")) {
  const dialog = document.getElementById(opener.dataset.opens);
  if (!dialog || !dialog.showModal) continue;
  opener.addEventListener("click", (event) => {
    event.preventDefault();
    dialog.showModal();
  });
}

document.addEventListener("click", (event) => {
  const closer = event.target.closest("[data-closes]");
  if (closer) {
    event.preventDefault();
    closer.closest("dialog").close();
  }
  for (const menu of document.querySelectorAll("details[data-menu][open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("details[data-menu][open]")) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

for (const button of document.querySelectorAll("[data-copies]")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    const source = document.getElementById(button.dataset.copies);
    const text = "value" in source ? source.value : source.textContent.trim();
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const range = document.createRange();
      range.selectNodeContents(source);
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      document.execCommand("copy");
    }
    const words = button.querySelector("span");
    const before = words.textContent;
    words.textContent = button.dataset.done;
    setTimeout(() => { words.textContent = before; }, 2500);
  });
}

for (const button of document.querySelectorAll("[data-prints]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}

for (const line of document.querySelectorAll("[data-ticks]")) {
  line.hidden = false;
  line.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    const all = button.value === "all";
    for (const box of document.getElementById(line.dataset.ticks).querySelectorAll("[type=checkbox]:enabled")) {
      // what carries a warning is taken by whoever read it, not with all the others
      if (!all || !("apart" in box.dataset)) box.checked = all;
    }
  });
}

// Paper shows what is folded away.
addEventListener("beforeprint", () => {
  for (const fold of document.querySelectorAll("main details:not([open])")) {
    fold.open = true;
    fold.dataset.opened = "";
  }
});
addEventListener("afterprint", () => {
  for (const fold of document.querySelectorAll("details[data-opened]")) {
    fold.open = false;
    delete fold.dataset.opened;
  }
});

// A bar at the lower edge grows with what it says (a colleague's name, a second line): nothing that is focused lies behind it.
const bar = document.querySelector(".sticky-bar");
if (bar && globalThis.ResizeObserver) {
  new ResizeObserver(() => {
    const sticks = getComputedStyle(bar).position === "sticky";
    document.documentElement.style.setProperty("--bar", sticks ? `${bar.offsetHeight}px` : "0px");
    const focused = document.activeElement;
    if (!sticks || !focused.closest("main > *") || bar.contains(focused)) return;
    const [place, edge] = [focused.getBoundingClientRect(), bar.getBoundingClientRect()];
    if (place.top < edge.bottom && place.bottom > edge.top && place.height < edge.top) focused.scrollIntoView({ block: "nearest" });
  }).observe(bar);
}

const summary = document.querySelector("[data-focus]");
if (summary) summary.focus();

// A second click while the first is on its way sends nothing. Where a file is the answer (data-gives-file), the page stays, and
// another button of it may be pressed; beside it the fold opens in which a filled file goes back.
document.addEventListener("submit", (event) => {
  const form = event.target;
  const fold = form.dataset.givesFile !== undefined && form.parentElement.querySelector(":scope > details.fold");
  if (fold) fold.open = true;
  if (form.method !== "post" || form.dataset.autosave !== undefined || form.dataset.givesFile !== undefined) return;
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "1";
  setTimeout(() => { delete form.dataset.sent; }, 8000);
});

// Who signs out leaves nothing readable on this device (decision 0027); other pages that are open keep nothing from now on.
// Text that is not saved yet would go with it: whoever signs out is asked first.
function keptHere() {
  return new Promise((done) => {
    const none = () => done(false);
    try {
      const asked = indexedDB.open("tamdan");
      asked.onupgradeneeded = () => asked.transaction.abort(); // there is none, and none is made
      asked.onerror = none;
      asked.onsuccess = () => {
        const base = asked.result;
        try {
          const found = base.transaction("kept").objectStore("kept").getAllKeys();
          found.onsuccess = () => done(found.result.some((id) => id !== "salt"));
          found.onerror = none;
        } catch {
          none();
        }
        base.close(); // once nothing of it is under way
      };
    } catch {
      none();
    }
  });
}

for (const form of document.querySelectorAll('form[action$="/logout"]')) {
  let asking = false;
  form.addEventListener("submit", async (event) => {
    if (form.dataset.asked) return;
    event.preventDefault();
    event.stopPropagation();
    if (asking) return;
    asking = true;
    const waits = [];
    document.dispatchEvent(new CustomEvent("tamdan:signing-out", { detail: waits }));
    const unsent = (await Promise.all(waits)).some(Boolean);
    asking = false;
    if ((unsent || (await keptHere())) && !confirm(form.dataset.asks)) return;
    form.dataset.asked = "1";
    document.dispatchEvent(new CustomEvent("tamdan:signs-out"));
    if (globalThis.BroadcastChannel) new BroadcastChannel("tamdan").postMessage({ type: "signed-out" });
    try { indexedDB.deleteDatabase("tamdan"); } catch { /* there is none */ }
    setTimeout(() => form.requestSubmit()); // not while the event that asked is still going round
  });
}
