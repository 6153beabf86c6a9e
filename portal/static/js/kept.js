// bundle: conflict.js recovery.js
// A reply that may no longer be changed: what this device kept of it stays readable, to be copied, until it is let go.

const form = document.querySelector("form[data-keeps]");
const copy = new LocalCopy(form.dataset.keeps, location.pathname, () => null, () => {});

const records = await copy.found();
const lines = records.flatMap(({ at, kept }) => Object.entries(kept.names).map(([name, pairs]) => ({
  label: kept.labels[name],
  at,
  kept: pairs.filter(([field, value]) => value && field === name).map((pair) => pair[1]).join("\n"),
  now: "",
})).filter((line) => line.kept));
if (records.length) {
  const done = async () => { for (const { id } of records) await copy.drop(id); };
  offerKept(document.querySelector("[data-recovered]"), lines, form.dataset.language, (at) => dayAndTime(at, form.dataset), done);
}
