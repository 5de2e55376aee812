"use strict";
// The report's data, and how texts and pictures of it are made. Nothing here or elsewhere reads markup from data.

const DATA = JSON.parse(document.getElementById("data").textContent);
const IMAGES = DATA.images.map((image, place) => ({
  labels: [], reason: "", id: "", uri: "", ...image, place,
  name: image.key.slice(image.key.lastIndexOf("/") + 1) || image.key,
}));

const UNSEEN = /[\u0000-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufffe\uffff]/g;

/** Text with control and direction characters spelled out. */
function visible(text) {
  return text.replace(UNSEEN, (found) => `⟨U+${found.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}⟩`);
}

/** An element with a class and a text. */
function element(tag, className = "", text = "") {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
}

const thumbnailBlocks = new Map();

/** The image's thumbnail as an address, or null. */
function thumbnail(image) {
  const number = Math.floor(image.place / DATA.thumbnailsABlock);
  if (!thumbnailBlocks.has(number)) {
    thumbnailBlocks.set(number, JSON.parse(document.getElementById(`thumbnails-${number}`).textContent));
  }
  const encoded = thumbnailBlocks.get(number)[image.place % DATA.thumbnailsABlock];
  return encoded && `data:image/webp;base64,${encoded}`;
}

/** A picture of the image, or a quiet placeholder. */
function picture(image) {
  const address = thumbnail(image);
  if (!address) return element("span", "no-picture", image.status === "rejected" ? "no picture" : "no preview");
  const shown = element("img");
  shown.decoding = "async";
  shown.alt = `Thumbnail of ${visible(image.key)}`;
  shown.src = address;
  return shown;
}

/** A label with its colour and confidence. */
function chip([place, confidence]) {
  const { name, colour } = DATA.labels[place];
  const made = element("span", "chip");
  made.append(element("i", `dot label-${colour}`), element("span", "chip-name", visible(name)));
  made.append(element("span", "percent", percent(confidence)));
  return made;
}

function percent(confidence) {
  return `${confidence >= 100 ? "100" : Math.min(confidence, 99.9).toFixed(1)} %`;
}

const MOMENT = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium", timeZone: "UTC" });

function moment(milliseconds) {
  return milliseconds === undefined ? "" : `${MOMENT.format(milliseconds)} UTC`;
}

function bytes(size) {
  if (size >= 1e6) return `${(size / 1e6).toFixed(1)} MB`;
  return size >= 1e3 ? `${(size / 1e3).toFixed(1)} kB` : `${size} bytes`;
}
