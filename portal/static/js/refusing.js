// Where the sentence stands that says why an answer is not taken. A part of respond.js and of relevance.js. A cell has no
// place for it until there is one: a page may have thousands of cells.

function errorPlace(item, wanted) {
  const place = item.querySelector("[data-error]");
  if (place || !wanted || !item.classList.contains("entry")) return place;
  const made = document.createElement("p");
  made.className = "field-error";
  made.dataset.error = "";
  made.hidden = true;
  made.append(document.createElement("span"));
  const first = item.querySelector("[id]");
  if (first) {
    made.id = `${first.id}-error`;
    for (const field of item.querySelectorAll("input:not([type=hidden]), textarea, select:not(.cell-state), summary")) {
      field.setAttribute("aria-describedby", made.id);
    }
  }
  item.append(made);
  return made;
}
