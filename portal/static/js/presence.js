// Colleagues who have the same page open are named. A page that is looked at says so every 45 seconds; nothing is kept
// of it for longer than minutes.

const HERE_EVERY = 45000;

function sayWhoIsHere(place, token, ended) {
  const address = place.dataset.here;
  const ask = async (more = "") => {
    let answer;
    try {
      answer = await fetch(address + more, { method: "POST", headers: { Accept: "application/json", "X-CSRFToken": token() }, credentials: "same-origin", keepalive: Boolean(more) });
    } catch {
      return; // no line: the state of saving says so
    }
    if (answer.status === 401) ended(await answer.json().catch(() => null));
    if (!answer.ok || more) return;
    const { here } = await answer.json();
    const words = here.length > 1 ? place.dataset.many : place.dataset.one;
    const text = here.length ? words.replace("{names}", here.join(", ")) : "";
    const span = place.querySelector("span");
    if (span.textContent !== text) span.textContent = text;
    place.hidden = !here.length;
  };
  let timer = 0;
  const look = () => {
    clearInterval(timer);
    if (document.visibilityState !== "visible") return;
    ask();
    timer = setInterval(ask, HERE_EVERY);
  };
  document.addEventListener("visibilitychange", look);
  addEventListener("pagehide", () => ask("?leave=1"));
  look();
}
