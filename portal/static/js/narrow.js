// Long lists of choices: a search box beside a drop-down or a list of boxes leaves what fits. Without this script the
// whole list is there. Khmer is compared without the invisible signs between words, in the order in which it was typed.

const bare = (text) => text.normalize("NFC").replace(/[\u200b\u200c\u200d\u2060\ufeff]/g, "").toLowerCase().trim();
const khmer = (document.querySelector("form[data-digits]") || { dataset: {} }).dataset.digits === "khmr";
const digits = (count) => (khmer ? String(count).replace(/[0-9]/g, (one) => String.fromCharCode(0x17e0 + Number(one))) : String(count));
const SHOWN = 8;

function narrowsSelect(select) {
  let all = [];
  let texts = [];
  let narrowed = false;
  return (wanted) => {
    if (!narrowed) { // rules may have changed what is on offer
      all = [...select.options];
      texts = all.map((option) => bare(option.textContent));
    }
    narrowed = Boolean(wanted);
    const kept = all.filter((option, at) => (option.value === "" ? !wanted : option.selected || texts[at].includes(wanted)));
    const chosen = select.value;
    select.replaceChildren(...kept);
    select.value = chosen;
    if (wanted) select.size = Math.min(SHOWN, Math.max(2, kept.length));
    else select.removeAttribute("size");
    const offered = (option) => option.value && !option.disabled;
    return [kept.filter((option) => offered(option) && bare(option.textContent).includes(wanted)).length, all.filter(offered).length];
  };
}

function narrowsBoxes(fieldset) {
  return (wanted) => {
    let found = 0;
    const all = [...fieldset.querySelectorAll(".options .option")].filter((option) => !option.querySelector("input").disabled);
    all.forEach((option) => {
      const fits = bare(option.textContent).includes(wanted);
      found += fits ? 1 : 0;
      option.hidden = !fits && !option.querySelector("input").checked; // what is ticked is never out of sight
    });
    return [found, all.length];
  };
}

for (const box of document.querySelectorAll("[data-narrows]")) {
  const list = document.getElementById(box.dataset.narrows);
  const said = document.getElementById(box.getAttribute("aria-describedby"));
  const narrow = list.tagName === "SELECT" ? narrowsSelect(list) : narrowsBoxes(list);
  box.closest(".narrow").hidden = false;
  const show = () => {
    const wanted = bare(box.value);
    const [found, all] = narrow(wanted);
    said.textContent = !wanted ? "" : found
      ? said.dataset.some.replace("{found}", digits(found)).replace("{all}", digits(all))
      : said.dataset.none;
  };
  box.addEventListener("input", (event) => { event.stopPropagation(); show(); });
  box.addEventListener("change", (event) => event.stopPropagation());
  box.addEventListener("keydown", (event) => {
    if (event.key === "Enter") event.preventDefault(); // it searches already; it must not send the page
    if (event.key === "Escape" && box.value) { event.preventDefault(); box.value = ""; show(); }
    if (event.key === "ArrowDown" && list.tagName === "SELECT") { event.preventDefault(); list.focus(); }
  });
  // choices come and go: the whole list is there for it
  document.addEventListener("tamdan:offering", (event) => {
    if (box.value && event.detail.contains(box)) { box.value = ""; show(); }
  });
  // a choice was made: the list folds away again, the answer stands in it
  list.addEventListener("change", () => { if (list.tagName === "SELECT" && list.value && box.value) { box.value = ""; show(); } });
}
