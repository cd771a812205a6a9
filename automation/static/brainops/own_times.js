// Says beside times of another zone what the reader's own clock shows then. Without this script only the other is there.
"use strict";

const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
const spots = [...document.querySelectorAll("[data-own-time]")].filter((spot) => spot.dataset.zone !== own);
const shape = { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" };

for (const spot of spots) {
  spot.textContent = new Date(spot.dataset.ownTime).toLocaleString("en-GB", shape);
  spot.hidden = false;
}
for (const name of document.querySelectorAll("[data-own-zone]")) {
  name.textContent = spots.length ? `· below, yours: ${own}` : "";
}
