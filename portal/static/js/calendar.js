// The browser's own calendar beside a text field for a day. A part of respond.js and of tables.js.

// Puts it behind its button, out of sight; null where the browser has none that a button can open.
function calendarBehind(button) {
  const picker = document.createElement("input");
  if (!picker.showPicker) return null;
  picker.type = "date";
  picker.className = "picker";
  picker.tabIndex = -1;
  picker.setAttribute("aria-hidden", "true");
  button.after(picker);
  return picker;
}

function openCalendar(picker, field) {
  picker.value = /^\d{4}-\d\d-\d\d$/.test(field.value) ? field.value : "";
  picker.showPicker();
}
