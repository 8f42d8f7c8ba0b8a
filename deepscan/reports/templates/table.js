// The table of files. Only the rows in view exist in the page; the numbers of the others are told to assistive tools.

const columns = [
  { id: "call", title: "Verdict", key: (row) => index.call[row] },
  { id: "name", title: "File", key: (row) => index.name[row].toLowerCase() },
  { id: "why", title: "Why", key: (row) => textOf("why", row) },
  { id: "container", title: "Type", key: (row) => textOf("container", row) },
  { id: "size", title: "Size", key: (row) => index.size[row] ?? -1 },
  { id: "score", title: "Model score", key: (row) => index.score[row] ?? -1 },
];

const table = {
  order: [], rows: [], sort: "call", down: false, calls: new Set(), text: "", kind: "", points: "", height: 56, orders: new Map(), hay: null,
};

function haystack() {
  if (!table.hay) {
    const many = index.texts.map((text) => text.toLowerCase());
    table.hay = index.name.map((name, row) =>
      `${many[index.root[row]]}/${name.toLowerCase()}\n${many[index.why[row]]}\n${many[index.codes[row]]}\n${index.sha256[row]}`);
  }
  return table.hay;
}

// The order of all rows by one column; rows that are equal stay gravest first, then by score and name.
function ordered(column) {
  if (!table.orders.has(column)) {
    const key = columns.find((c) => c.id === column).key;
    const keys = Array.from({ length: total }, (_, row) => key(row));
    const base = column === "call" ? gravest() : ordered("call");
    const place = new Uint32Array(total);
    base.forEach((row, at) => { place[row] = at; });
    const rows = Array.from({ length: total }, (_, row) => row);
    if (column !== "call") rows.sort((a, b) => (keys[a] < keys[b] ? -1 : keys[a] > keys[b] ? 1 : place[a] - place[b]));
    table.orders.set(column, column === "call" ? base : rows);
  }
  return table.orders.get(column);
}

function gravest() {
  const names = index.name;
  const rows = Array.from({ length: total }, (_, row) => row);
  return rows.sort((a, b) => index.call[a] - index.call[b] || (index.score[b] ?? 0) - (index.score[a] ?? 0)
    || (names[a] < names[b] ? -1 : names[a] > names[b] ? 1 : a - b));
}

function choose() {
  const needles = table.text.toLowerCase().split(/\s+/).filter(Boolean);
  const hay = needles.length ? haystack() : null;
  const kind = index.texts.indexOf(table.kind);
  const points = index.texts.indexOf(table.points);
  const wanted = (row) => (!table.calls.size || table.calls.has(callOf(row)))
    && (!table.kind || index.kind[row] === kind)
    && (!table.points || index.points[row] === points)
    && (!hay || needles.every((needle) => hay[row].includes(needle)));
  const all = ordered(table.sort);
  table.rows = all.filter(wanted);
  if (table.down) table.rows.reverse();
  const shown = document.getElementById("shown");
  shown.textContent = table.rows.length === total ? `${count(total, "file")}` : `${table.rows.length.toLocaleString("en")} of ${count(total, "file")}`;
}

function chip(call, small) {
  const marks = { strong: 3, moderate: 2, weak: 1 }[call];
  return el("span", { class: `chip call-${call}${small ? " small" : ""}` },
    el("span", { class: "marks", "aria-hidden": "true" }, marks ? "●".repeat(marks) + "○".repeat(3 - marks) : call === "no-evidence" ? "○○○" : "–"),
    " ", words.calls[call]);
}

function cellsOf(row) {
  const folder = textOf("root", row);
  const points = textOf("points", row);
  const name = index.name[row];
  const link = index.part[row] >= 0 ? el("a", { href: `#file-${row}`, class: "title" }, el("bdi", {}, name)) : el("span", { class: "title" }, el("bdi", {}, name));
  return [
    [chip(callOf(row), true), points && points !== "neither" ? el("span", { class: "of" }, points) : null, index.partial[row] ? el("span", { class: "of" }, "examined in part") : null],
    [link, el("span", { class: "folder" }, el("bdi", {}, folder))],
    [el("span", { class: "why" }, textOf("why", row))],
    [textOf("container", row)],
    [index.size[row] === null ? "" : bytes(index.size[row])],
    [index.score[row] === null ? "" : index.score[row].toFixed(2)],
  ];
}

function rowOf(at) {
  const row = table.rows[at];
  const node = el("div", { role: "row", class: "row", "aria-rowindex": at + 2 },
    cellsOf(row).map((cell, place) => el("div", { role: "cell", class: `cell ${columns[place].id}` }, cell)));
  node.style.top = `${at * table.height}px`;
  return node;
}

// Draw the rows in view, and some before and after them.
function draw(everything) {
  const { frame, body } = table;
  table.height = matchMedia("(max-width: 720px)").matches ? 96 : 60;
  body.style.height = `${table.rows.length * table.height}px`;
  const from = Math.max(0, Math.floor(frame.scrollTop / table.height) - 8);
  const to = Math.min(table.rows.length, Math.ceil((frame.scrollTop + frame.clientHeight) / table.height) + 8);
  const range = `${from}-${to}`;
  if (!everything && body.dataset.range === range) return;
  const focused = document.activeElement && document.activeElement.closest(".row");
  const again = focused && body.contains(focused) ? Number(focused.getAttribute("aria-rowindex")) - 2 : -1;
  body.dataset.range = range;
  body.replaceChildren(...Array.from({ length: to - from }, (_, at) => rowOf(from + at)));
  if (again >= from && again < to) focusRow(again);
  frame.tabIndex = frame.scrollHeight > frame.clientHeight ? 0 : -1;
}

function focusRow(at) {
  const node = [...table.body.children].find((child) => Number(child.getAttribute("aria-rowindex")) === at + 2);
  const link = node && node.querySelector("a");
  if (link) link.focus({ preventScroll: true });
}

function refresh() {
  choose();
  table.grid.setAttribute("aria-rowcount", String(table.rows.length + 1));
  for (const head of table.grid.querySelectorAll("[role=columnheader]")) {
    const on = head.dataset.column === table.sort;
    head.setAttribute("aria-sort", on ? (table.down ? "descending" : "ascending") : "none");
  }
  for (const button of document.querySelectorAll(".tally button")) {
    button.setAttribute("aria-pressed", String(table.calls.has(button.dataset.call)));
  }
  table.frame.scrollTop = 0;
  draw(true);
}

function sortBy(column) {
  table.down = table.sort === column ? !table.down : column === "size" || column === "score";
  table.sort = column;
  refresh();
}

function move(event) {
  const row = document.activeElement && document.activeElement.closest(".row");
  const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -Infinity, End: Infinity }[event.key];
  if (!row || step === undefined) return;
  event.preventDefault();
  const at = Math.min(table.rows.length - 1, Math.max(0, Number(row.getAttribute("aria-rowindex")) - 2 + step));
  const top = at * table.height;
  const { frame } = table;
  const headed = table.grid.querySelector(".heads").offsetHeight;
  if (top < frame.scrollTop) frame.scrollTop = top;
  else if (top + table.height > frame.scrollTop + frame.clientHeight - headed) frame.scrollTop = top + table.height - frame.clientHeight + headed;
  draw(true);
  focusRow(at);
}

function buildTable() {
  const heads = columns.map((column) => el("div", { role: "columnheader", class: `cell ${column.id}`, "data-column": column.id },
    el("button", { type: "button", onclick: () => sortBy(column.id) }, column.title)));
  table.body = el("div", { role: "rowgroup", class: "rows" });
  table.grid = el("div", { role: "table", class: "grid", "aria-labelledby": "files-title" },
    el("div", { role: "rowgroup" }, el("div", { role: "row", class: "heads", "aria-rowindex": 1 }, heads)), table.body);
  table.frame = document.getElementById("frame");
  table.frame.setAttribute("role", "region");
  table.frame.setAttribute("aria-label", "List of files");
  table.frame.append(table.grid);
  table.frame.addEventListener("scroll", () => draw(false), { passive: true });
  table.grid.addEventListener("keydown", move);
  addEventListener("resize", () => draw(true));
  for (const holder of document.querySelectorAll(".tally .count")) {
    const button = el("button", { type: "button", class: holder.className, "data-call": holder.dataset.call, "aria-pressed": "false" }, ...holder.childNodes);
    button.addEventListener("click", () => {
      const { call } = button.dataset;
      if (!table.calls.delete(call)) table.calls.add(call);
      refresh();
    });
    holder.replaceWith(button);
  }
  choices("kind", "kind");
  choices("points", "points");
  let waiting = 0;
  document.getElementById("find").addEventListener("input", (event) => {
    table.text = event.target.value;
    clearTimeout(waiting);
    waiting = setTimeout(refresh, total > 5000 ? 120 : 0);
  });
  document.getElementById("clear").addEventListener("click", () => {
    Object.assign(table, { text: "", kind: "", points: "" });
    table.calls.clear();
    for (const id of ["find", "kind", "points"]) document.getElementById(id).value = "";
    refresh();
  });
  document.getElementById("files").hidden = false;
  refresh();
}

function choices(id, column) {
  const select = document.getElementById(id);
  const there = [...new Set(index[column])].map((place) => index.texts[place]).filter((text) => text && text !== "neither").sort();
  for (const text of there) select.append(el("option", { value: text }, text));
  select.addEventListener("change", () => { table[id] = select.value; refresh(); });
}
