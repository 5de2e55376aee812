"use strict";
// Which images are shown: filters, order and pages. Only the page one looks at is in the document.

const gallery = document.getElementById("gallery");
const control = (name) => document.getElementById(`filter-${name}`);
const narrow = matchMedia("(max-width: 640px)");
const ORDERS = {
  given: () => 0,
  surest: (a, b) => (b.labels[0]?.[1] ?? -1) - (a.labels[0]?.[1] ?? -1),
  unsurest: (a, b) => (a.labels[0]?.[1] ?? 101) - (b.labels[0]?.[1] ?? 101),
  newest: (a, b) => (b.processedAt ?? 0) - (a.processedAt ?? 0),
  key: (a, b) => (a.key < b.key ? -1 : Number(a.key > b.key)),
};

const filter = { show: "all", text: "", confidence: 0, order: "given" };
let found = IMAGES;
let page = 0;

const pageSize = () => (narrow.matches ? 12 : 24);

function isShown(image) {
  if (filter.text && !image.searched.includes(filter.text)) return false;
  if (filter.show === "rejected" || filter.show === "waiting") return image.status === filter.show;
  if (filter.show === "unlabelled") return image.status === "labelled" && !image.labels.length;
  const isWanted = wantedLabel();
  if (!isWanted && !filter.confidence) return true;
  return image.labels.some(([place, confidence]) => (!isWanted || isWanted(place)) && confidence >= filter.confidence);
}

/** Whether a label is the one that was asked for; null for any. */
function wantedLabel() {
  if (filter.show === "label-other") return (place) => DATA.labels[place].colour === "other";
  if (!filter.show.startsWith("label-")) return null;
  const wanted = Number(filter.show.slice("label-".length));
  return (place) => place === wanted;
}

function update() {
  found = IMAGES.filter(isShown);
  if (filter.order !== "given") found.sort(ORDERS[filter.order]);
  page = 0;
  drawPage();
  drawControls();
}

function drawPage() {
  const first = page * pageSize();
  const shown = found.slice(first, first + pageSize());
  gallery.replaceChildren(...shown.map((image, number) => tile(image, first + number)));
  const number = (value) => value.toLocaleString("en");
  const range = shown.length === found.length ? "" : `${number(first + 1)} to ${number(first + shown.length)} of `;
  document.getElementById("found").textContent =
    found.length ? `${range}${number(found.length)} image${found.length === 1 ? "" : "s"}` : "No image is like that";
  document.getElementById("page-previous").disabled = page === 0;
  document.getElementById("page-next").disabled = first + pageSize() >= found.length;
  document.getElementById("pager").hidden = found.length <= pageSize();
  document.getElementById("export").disabled = !found.length;
}

function tile(image, place) {
  const made = element("button", `tile ${image.status}`);
  made.type = "button";
  made.title = visible(image.key);
  const labels = element("span", "labels");
  if (image.labels.length) {
    labels.append(chip(image.labels[0]));
    if (image.labels.length > 1) labels.append(element("span", "more", `+${image.labels.length - 1}`));
  } else {
    labels.append(element("span", "verdict", { rejected: "Rejected", waiting: "Waiting" }[image.status] ?? "No label"));
  }
  const frame = element("span", "frame");
  frame.append(picture(image));
  made.append(frame, element("span", "name", visible(image.name)), labels);
  made.addEventListener("click", () => showDetails(found, place));
  const item = element("li");
  item.append(made);
  return item;
}

function drawControls() {
  for (const button of document.querySelectorAll("[data-show]")) {
    button.setAttribute("aria-pressed", String(button.dataset.show === filter.show));
  }
  const more = control("more");
  if (more) more.value = [...more.options].some((option) => option.value === filter.show) ? filter.show : "";
  more?.classList.toggle("chosen", Boolean(more.value));
  control("confidence").value = filter.confidence;
  control("confidence-told").textContent = filter.confidence ? `at least ${filter.confidence} %` : "any";
}

/** Show some images only, and go to them; what is left out of `wanted` is as before. */
function showImages(wanted) {
  Object.assign(filter, wanted);
  control("text").value = filter.text;
  update();
  document.getElementById("images").scrollIntoView();
}

function turnPage(by) {
  page += by;
  drawPage();
  document.getElementById("images").scrollIntoView();
}

for (const image of IMAGES) image.searched = image.key.toLowerCase();
control("text").addEventListener("input", (event) => { filter.text = event.target.value.toLowerCase(); update(); });
control("confidence").addEventListener("input", (event) => { filter.confidence = Number(event.target.value); update(); });
control("order").addEventListener("change", (event) => { filter.order = event.target.value; update(); });
control("more")?.addEventListener("change", (event) => { filter.show = event.target.value || "all"; update(); });
for (const button of document.querySelectorAll("[data-show]")) {
  button.addEventListener("click", () => {
    const show = button.dataset.show === filter.show ? "all" : button.dataset.show;
    if (button.closest("#images")) { filter.show = show; update(); } else showImages({ show, confidence: 0, text: "" });
  });
}
for (const button of document.querySelectorAll("[data-image]")) {
  button.addEventListener("click", () => {
    const rejected = IMAGES.filter((image) => image.status === "rejected");
    showDetails(rejected, rejected.findIndex((image) => image.place === Number(button.dataset.image)));
  });
}
document.getElementById("page-previous").addEventListener("click", () => turnPage(-1));
document.getElementById("page-next").addEventListener("click", () => turnPage(1));
document.getElementById("export").addEventListener("click", () => download(csv(found), "images.csv"));
narrow.addEventListener("change", () => { page = 0; drawPage(); });
for (const cell of document.querySelectorAll("[data-picture]")) cell.append(picture(IMAGES[Number(cell.dataset.picture)]));
update();
document.documentElement.dataset.ready = "true";
