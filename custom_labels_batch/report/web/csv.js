"use strict";
// Images as a table for spreadsheet programs: RFC 4180, every cell quoted, and no cell a formula.

const CSV_COLUMNS = ["image", "status", "label", "confidence", "reason", "size", "uploaded", "processed", "id", "stored"];

// A program that splits at semicolons, tabs or lines instead of commas would see cells begin inside a cell.
const FORMULA = /(^|[;\t\r\n])([\s"']*)(?=[=+\-@|%＝＋－＠])/g;

/** A quoted cell; what a spreadsheet would take for a formula gets an apostrophe before it, and stays text. */
function csvCell(value) {
  if (typeof value === "number") return `"${value}"`;
  return `"${value.replace(FORMULA, "$1$2'").replaceAll('"', '""')}"`;
}

/** One row a label, one row for an image without labels; with the mark by which Excel knows UTF-8. */
function csv(images) {
  const iso = (at) => (at === undefined ? "" : new Date(at).toISOString());
  const rows = images.flatMap((image) =>
    (image.labels.length ? image.labels : [[]]).map(([place, confidence]) => [
      image.key, image.status, place === undefined ? "" : DATA.labels[place].name, confidence ?? "",
      image.reason, image.size ?? "", iso(image.uploadedAt), iso(image.processedAt), image.id, image.uri,
    ]));
  return `\ufeff${[CSV_COLUMNS, ...rows].map((row) => `${row.map(csvCell).join(",")}\r\n`).join("")}`;
}

/** Hand a file to the reader. */
function download(text, name) {
  const link = element("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/csv;charset=utf-8" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
