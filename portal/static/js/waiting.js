// bundle: recovery.js
// Where pages were closed over unsent text that this device kept, a list of them leads back there.

const place = document.querySelector("[data-waiting]");
const copy = new LocalCopy(place.dataset.waiting, "", () => null, () => {});
const pages = new Map((await copy.found()).map(({ kept }) => [kept.path, kept.title]));
for (const [path, title] of pages) {
  if (!path.startsWith("/")) continue;
  const line = document.createElement("li");
  const link = document.createElement("a");
  link.href = path;
  link.textContent = title;
  line.append(link);
  place.querySelector("ul").append(line);
}
place.hidden = !pages.size;
