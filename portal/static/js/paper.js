// A document beside the questions: saving a page draws it anew, so how far somebody had read is kept for the tab.

const key = `paper:${location.pathname}`;
const root = document.documentElement;

function kept() {
  try { return Number(sessionStorage.getItem(key)) || 0; } catch { return 0; } // without storage it begins at the top
}

// pictures have their height before they come, so a place is the same one after a while of loading
const before = kept();
if (before) root.scrollTo({ top: before * root.scrollHeight, behavior: "instant" });
let waits = 0;
addEventListener("scroll", () => {
  clearTimeout(waits);
  waits = setTimeout(() => {
    try { sessionStorage.setItem(key, String(root.scrollTop / root.scrollHeight)); } catch { /* as above */ }
  }, 150);
}, { passive: true });
