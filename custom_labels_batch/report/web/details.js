"use strict";
// One image, large, with everything known of it.

const dialog = document.getElementById("details");
let shownList = [];
let shownAt = 0;

/** Open the image at `place` of `list`; the arrows walk through the list. */
function showDetails(list, place) {
  shownList = list;
  fillDetails(place);
  if (!dialog.open) dialog.showModal();
}

function fillDetails(place) {
  shownAt = place;
  const image = shownList[place];
  const frame = element("div", `frame ${image.status}`);
  frame.append(largePicture(image));
  const facts = element("div", "facts");
  const title = element("h2", "key", visible(image.key));
  title.id = "details-title";
  facts.append(title, ...labelsOf(image), factsOf(image));
  document.getElementById("details-body").replaceChildren(frame, facts);
  document.getElementById("details-place").textContent =
    `${(place + 1).toLocaleString("en")} of ${shownList.length.toLocaleString("en")}`;
  document.getElementById("details-previous").disabled = place === 0;
  document.getElementById("details-next").disabled = place === shownList.length - 1;
}

/** The picture with its boxes, as wide as there is room, and never higher than two thirds of the window. */
function largePicture(image) {
  const inner = element("div", "frame-inner");
  const shown = picture(image);
  shown.addEventListener("load", () => {
    inner.style.width = `min(100%, calc(66dvh * ${shown.naturalWidth / shown.naturalHeight}))`;
  });
  inner.append(shown, ...image.labels.filter(([, , box]) => box).map(boxOf));
  return inner;
}

function boxOf([place, , [left, top, width, height]]) {
  const made = element("span", `box label-${DATA.labels[place].colour}`);
  Object.assign(made.style, {
    left: `${left * 100}%`, top: `${top * 100}%`, width: `${width * 100}%`, height: `${height * 100}%`,
  });
  return made;
}

function labelsOf(image) {
  if (!image.labels.length) {
    const none = { rejected: image.reason || "Rejected", waiting: image.reason || "No result yet" };
    return [element("p", `verdict ${image.status}`, visible(none[image.status] ?? "Nothing reached the threshold"))];
  }
  const list = element("ul", "label-list");
  list.append(...image.labels.map((label) => {
    const row = element("li");
    const meter = element("span", "meter");
    const filled = element("i", `label-${DATA.labels[label[0]].colour}`);
    filled.style.width = `${label[1]}%`;
    meter.append(filled);
    row.append(chip(label), meter);
    return row;
  }));
  return [list];
}

function factsOf(image) {
  const list = element("dl");
  const fact = (name, told) => {
    if (!told) return;
    const value = element("dd", "", typeof told === "string" ? visible(told) : "");
    if (typeof told !== "string") value.append(told);
    list.append(element("dt", "", name), value);
  };
  fact("Status", image.status);
  fact("Uploaded", moment(image.uploadedAt));
  fact("Result", moment(image.processedAt));
  fact("Size", image.size === undefined ? "" : bytes(image.size));
  fact("Kept at", image.uri);
  fact("Id", image.id);
  if (image.link && /^https?:\/\//.test(image.link)) {
    const link = element("a", "", "Open the image");
    Object.assign(link, { href: image.link, target: "_blank", rel: "noopener noreferrer" });
    fact("Original", link);
  }
  return list;
}

function stepDetails(by) {
  const place = shownAt + by;
  if (place >= 0 && place < shownList.length) fillDetails(place);
}

document.getElementById("details-previous").addEventListener("click", () => stepDetails(-1));
document.getElementById("details-next").addEventListener("click", () => stepDetails(1));
document.getElementById("details-close").addEventListener("click", () => dialog.close());
dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
dialog.addEventListener("keydown", (event) => {
  if (event.key === "ArrowLeft") stepDetails(-1);
  if (event.key === "ArrowRight") stepDetails(1);
});
