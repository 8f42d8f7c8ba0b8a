// Findings and their evidence: values of any shape, pictures with the words that belong to them, and places.

const LOOK = "what to look for";
const IGNORE = "what to ignore";

function heading(level, id, ...children) {
  return el(`h${level}`, { id }, ...children);
}

function place(where) {
  if (!where) return null;
  const parts = [];
  if (where.seconds !== null) parts.push(`at ${time(where.seconds)}`);
  else if (where.frame !== null) parts.push(`frame or page ${where.frame + 1}`);
  if (where.box) parts.push(`${where.box.width} × ${where.box.height} pixels at (${where.box.x}, ${where.box.y})`);
  return parts.length ? el("span", { class: "where" }, parts.join(", ")) : null;
}

const isMapping = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
const isScalar = (value) => value === null || typeof value !== "object";

// A free value of evidence: text in quotes of its own, lists in a line, mappings as terms and descriptions.
function valued(value) {
  if (value === null) return el("span", { class: "none" }, "none");
  if (value === true || value === false) return value ? "yes" : "no";
  if (typeof value === "number") return String(value);
  if (typeof value === "string") return quoted(value, value.includes("\n"));
  if (Array.isArray(value)) {
    if (!value.length) return el("span", { class: "none" }, "none");
    if (value.every(isScalar)) return quoted(value.map(String).join(", "), false);
    return el("ol", { class: "values" }, value.map((entry) => el("li", {}, valued(entry))));
  }
  return el("dl", { class: "nested" }, Object.entries(value).map(([name, inner]) =>
    el("div", {}, el("dt", {}, quoted(name, false)), el("dd", {}, valued(inner)))));
}

// Fields of metadata say what was there, and where it was read.
const isField = (piece) => isMapping(piece.value) && "state" in piece.value && "source" in piece.value;

function fieldTable(pieces) {
  return el("table", { class: "plain fields" },
    el("thead", {}, el("tr", {}, ["Field", "What it says", "Read from"].map((title) => el("th", { scope: "col" }, title)))),
    el("tbody", {}, pieces.map((piece) => el("tr", {}, el("th", { scope: "row" }, piece.label.replaceAll("_", " ")),
      el("td", {}, piece.value.state === "present" ? valued(piece.value.value) : el("span", { class: "none" }, piece.value.state)),
      el("td", { class: "source" }, piece.value.source)))));
}

function figure(piece, pieces) {
  const address = addressOf(piece.exhibit);
  const words = pieces.filter((other) => other.label === LOOK || other.label === IGNORE);
  const caption = el("figcaption", {}, el("strong", {}, piece.label), piece.value === null ? null : [": ", valued(piece.value)],
    words.length ? el("dl", { class: "reading" }, words.map((word) =>
      el("div", { class: word.label === LOOK ? "look" : "ignore" }, el("dt", {}, word.label === LOOK ? "Look for" : "Ignore"), el("dd", {}, word.value)))) : null);
  return el("figure", { class: "exhibit" }, shownPicture(address, piece.exhibit, `${piece.label} of this file`), caption);
}

function shownPicture(address, path, alternative) {
  const missing = el("p", { class: "missing" }, "The picture ", el("code", {}, path), " is not where this report looks for it.");
  if (!address) return missing;
  const image = el("img", { src: address, alt: alternative });
  image.addEventListener("error", () => image.closest("a").replaceWith(missing));
  return el("a", { class: "picture", href: address, target: "_blank", rel: "noreferrer" }, image);
}

function evidenceOf(finding) {
  const pictured = finding.evidence.filter((piece) => piece.exhibit);
  const worded = pictured.length ? [LOOK, IGNORE] : [];
  const rest = finding.evidence.filter((piece) => !piece.exhibit && !worded.includes(piece.label));
  const fields = rest.filter(isField);
  const other = rest.filter((piece) => !isField(piece));
  return [
    pictured.map((piece, at) => figure(piece, at === 0 ? finding.evidence : [])),
    fields.length ? fieldTable(fields) : null,
    other.length ? folded(finding, other) : null,
  ];
}

// What is only information is folded; what a verdict may rest on lies open.
function folded(finding, pieces) {
  const rows = grouped(pieces).map((group) => (group.length > 2 ? alike(group)
    : el("dl", { class: "facts evidence" }, group.map((piece) =>
      el("div", {}, el("dt", {}, piece.label), el("dd", {}, valued(piece.value), " ", place(piece.where)))))));
  return finding.level === "info" ? el("details", {}, el("summary", {}, `Evidence: ${count(pieces.length, "entry", "entries")}`), rows) : rows;
}

const shapeOf = (piece) => (isMapping(piece.value) && Object.values(piece.value).every(isScalar) ? JSON.stringify([piece.label, Object.keys(piece.value)]) : piece.label);

// Neighbours of one label and shape, such as one entry for each face.
function grouped(pieces) {
  const groups = [];
  for (const piece of pieces) {
    const last = groups.at(-1);
    if (last && isMapping(piece.value) && shapeOf(last[0]) === shapeOf(piece)) last.push(piece);
    else groups.push([piece]);
  }
  return groups;
}

function alike(group) {
  const names = Object.keys(group[0].value);
  return el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": group[0].label }, el("table", { class: "plain" },
    el("thead", {}, el("tr", {}, [group[0].label, ...names, "where"].map((title) => el("th", { scope: "col" }, title)))),
    el("tbody", {}, group.map((piece, at) => el("tr", {}, el("th", { scope: "row" }, String(at + 1)),
      names.map((name) => el("td", {}, valued(piece.value[name]))), el("td", {}, place(piece.where)))))));
}

const LEVELS = { strong: "Strong", moderate: "Moderate", weak: "Weak", info: "Information" };

function level(finding) {
  return el("span", { class: `chip small ${finding.level === "info" ? "level-info" : `call-${finding.level}`}` },
    LEVELS[finding.level] || finding.level, finding.points_to === "neither" ? "" : ` · ${finding.points_to}`);
}

// What the handbook says of a code: the same words as `deepscan explain`.
function handbook(code) {
  const page = Object.hasOwn(words.pages, code) ? words.pages[code] : null;
  if (!page) return null;
  const parts = page.parts.map(([title, text]) => el("div", { class: title === "Found by" || title === "Source" ? "full-only" : "" },
    el("dt", {}, title), el("dd", {}, text)));
  return el("details", { class: "handbook" }, el("summary", {}, `About ${code}: ${page.title}`), el("dl", { class: "facts" }, parts));
}

function findingCard(finding, number) {
  if (finding.evidence.some((piece) => piece.label === "view" && piece.exhibit)) return null;
  return el("section", { class: `finding ${finding.level}`, id: `finding-${number}` },
    el("p", { class: "head" }, level(finding), el("code", { class: "full-only" }, finding.code)),
    el("p", { class: "summary" }, quoted(finding.summary, false)),
    el("div", { class: finding.level === "info" ? "proof full-only" : "proof" }, evidenceOf(finding)), handbook(finding.code));
}
