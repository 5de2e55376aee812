"use strict";
// Marks of the charts: a link filters the gallery, and pointing at a mark says what it is.

const tip = document.getElementById("tip");

function markOf(event) {
  const mark = event.target.closest?.("svg [aria-roledescription$=' mark'], svg a");
  return mark?.matches("a") ? mark.firstElementChild : mark;
}

function showTip(mark) {
  tip.textContent = mark.getAttribute("aria-label") ?? "";
  tip.hidden = !tip.textContent;
  const around = mark.getBoundingClientRect();
  const left = around.left + around.width / 2 - tip.offsetWidth / 2;
  tip.style.left = `${Math.max(8, Math.min(left, document.documentElement.clientWidth - tip.offsetWidth - 8))}px`;
  tip.style.top = `${Math.max(8, around.top - tip.offsetHeight - 8)}px`;
}

for (const chart of document.querySelectorAll(".chart")) {
  for (const link of chart.querySelectorAll("a[href]")) {
    link.setAttribute("aria-label", link.firstElementChild?.getAttribute("aria-label") ?? "");
  }
  for (const name of ["pointerover", "focusin"]) {
    chart.addEventListener(name, (event) => { const mark = markOf(event); if (mark) showTip(mark); });
  }
  for (const name of ["pointerout", "focusout"]) chart.addEventListener(name, () => { tip.hidden = true; });
  chart.addEventListener("click", (event) => {
    const link = event.target.closest("a[href]");
    if (!link) return;
    event.preventDefault();
    const wanted = new URLSearchParams(link.getAttribute("href").slice(1));
    showImages({ show: `label-${wanted.get("label")}`, confidence: Number(wanted.get("confidence") ?? 0), text: "" });
  });
}
