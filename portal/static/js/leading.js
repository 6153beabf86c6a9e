// The bar says what waits for the reader, and leads to it: a page is thousands of pixels long on a phone. A part of respond.js.

const WAITING = {
  conflict: "[data-conflict-box], [data-row-conflict]",
  error: "[data-error][data-fresh]:not([hidden])",
};

function leadFromBar(bar, form) {
  const button = bar.parentElement.querySelector("[data-leads]");
  const first = () => {
    const wanted = WAITING[bar.dataset.state];
    return wanted ? form.querySelector(wanted) : null;
  };
  button.addEventListener("click", () => {
    const place = first();
    if (!place) return;
    const field = place.closest("[data-item]")?.querySelector("[aria-invalid=true]");
    const target = bar.dataset.state === "error" && field ? field : place;
    if (target === place) target.tabIndex = -1;
    target.focus({ preventScroll: true });
    // the head of a table stays at the upper edge
    target.style.scrollMarginTop = `${(target.closest("table")?.tHead.offsetHeight || 0) + 16}px`;
    target.scrollIntoView({ block: target === place ? "start" : "center" });
  });
  const offer = () => { button.hidden = !first(); };
  offer();
  new MutationObserver(offer).observe(bar, { attributeFilter: ["data-state"] });
}
