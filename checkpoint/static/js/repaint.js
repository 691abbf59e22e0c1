// Fetches the page anew every so many seconds and puts the part with data-repaint in place, while somebody may be looking.

const place = document.querySelector("[data-repaint]");

async function repaint() {
  if (document.visibilityState !== "visible" || place.contains(document.activeElement)) return;
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (!answer.ok || answer.redirected) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.getElementById(place.id);
    if (fresh && fresh.innerHTML !== place.innerHTML) place.replaceChildren(...fresh.childNodes);
  } catch {
    // the network is away: what is on screen stays, and the next round tries again
  }
}

if (place) setInterval(repaint, Number(place.dataset.repaint) * 1000);
