"use strict";
const valueOf = (row, column) => {
  const cell = row.cells[column];
  const number = cell.dataset.value;
  return number === undefined ? cell.textContent.trim() : number === "" ? NaN : +number;
};
const compare = (a, b) =>
  typeof a === "string" ? a.localeCompare(b, undefined, { numeric: true }) : a - b;
for (const button of document.querySelectorAll("th button")) {
  button.addEventListener("click", () => {
    const head = button.closest("th");
    const body = head.closest("table").tBodies[0];
    const falls = head.getAttribute("aria-sort") === "ascending";
    for (const other of head.parentNode.cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", falls ? "descending" : "ascending");
    const keyed = [...body.rows].map((row) => [valueOf(row, head.cellIndex), row]);
    const missing = (key) => (key !== key ? 1 : 0); // Last, whichever way.
    keyed.sort(([a], [b]) =>
      missing(a) - missing(b) || (missing(a) ? 0 : falls ? compare(b, a) : compare(a, b))
    );
    body.append(...keyed.map(([, row]) => row));
  });
}
