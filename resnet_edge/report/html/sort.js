
// Tables are sorted by the column whose head is pressed: up, down, and as they came. Columns of numbers go by
// their values, whatever the unit, the first of several first; names by the numbers in them. What is absent
// stands last. It loads nothing and keeps nothing.
"use strict";
(() => {
  const UNITS = {
    B: 1, kB: 1e3, MB: 1e6, GB: 1e9, k: 1e3, M: 1e6, G: 1e9,
    "µs": 1e-6, ms: 1e-3, s: 1, min: 60, h: 3600, "%": 1, "×": 1, pp: 1, dB: 1,
  };
  const VERDICTS = ["fail", "inconclusive", "unverified", "reference", "pass"];
  const PART = /([−-]?)(∞|\d[\d,]*(?:\.\d+)?)\s*([^\d\s.,∞−-]+)?/g;
  const NUMBER = /^(?:[−-]?(?:∞|\d[\d,]*(?:\.\d+)?)\s*[^\d\s.,∞−-]*\s*)+$/;

  function text(cell) {
    const copy = cell.cloneNode(true);
    copy.querySelectorAll(".under").forEach((under) => under.remove());
    return copy.textContent.trim();
  }

  function numbers(written) {
    const values = written.split(/, | \/ /).map(number);
    return values.includes(null) ? null : values;
  }

  function number(written) {
    if (!NUMBER.test(written)) return null;
    let sum = 0;
    for (const [, minus, digits, unit] of written.matchAll(PART)) {
      if (unit !== undefined && !(unit in UNITS)) return null;
      const size = digits === "∞" ? Infinity : Number(digits.replaceAll(",", ""));
      sum += (minus ? -1 : 1) * size * (unit === undefined ? 1 : UNITS[unit]);
    }
    return sum;
  }

  function key(cell, byValue) {
    const tag = cell.querySelector(".tag");
    if (tag) return [VERDICTS.findIndex((verdict) => tag.classList.contains(verdict))];
    const written = text(cell);
    if (written === "–" || written === "") return null;
    return (byValue ? numbers(written) : null) ?? written;
  }

  function compared(a, b, down) {
    if (a === null || b === null) return (a === null) - (b === null);
    const apart = apartness(a, b);
    return down ? -apart : apart;
  }

  function apartness(a, b) {
    if (typeof a !== typeof b) return (typeof a === "string") - (typeof b === "string");
    if (typeof a === "string") return a.localeCompare(b, "en", { numeric: true });
    const at = a.findIndex((value, i) => i >= b.length || value !== b[i]);
    return at < 0 ? a.length - b.length : at >= b.length ? 1 : a[at] > b[at] ? 1 : -1;
  }

  function sortable(table) {
    const body = table.tBodies[0], came = [...body.rows], heads = [...table.tHead.rows[0].cells];
    if (came.length < 2) return;
    heads.forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const next = { ascending: "descending", descending: null }[head.getAttribute("aria-sort")];
        const order = next === undefined ? "ascending" : next;
        heads.forEach((each) => each.removeAttribute("aria-sort"));
        if (order) head.setAttribute("aria-sort", order);
        const byValue = head.classList.contains("number");
        const keyed = came.map((row) => [row, key(row.cells[column], byValue)]);
        if (order) keyed.sort((a, b) => compared(a[1], b[1], order === "descending"));
        body.append(...keyed.map(([row]) => row));
      });
    });
  }

  document.querySelectorAll("table.cards").forEach(sortable);
})();
