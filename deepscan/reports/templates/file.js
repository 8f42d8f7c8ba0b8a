// The page of one file, made from its document when it is opened.

const FAMILIES = ["provenance", "metadata", "structure", "pixels", "model", "temporal"];
const RANK = { strong: 0, moderate: 1, weak: 2, info: 3 };
let opened = -1;

const familyOf = (check) => (Object.hasOwn(words.checks, check) ? words.checks[check].family : "other");
const titleOf = (check) => (Object.hasOwn(words.checks, check) ? words.checks[check].title : check);

async function open(row) {
  const page = document.getElementById("file");
  opened = row;
  let content;
  try {
    content = filePage(row, await detailsOf(row));
  } catch (error) {
    content = [ways(row), heading(1, "file-title", quoted(index.name[row], false)), el("p", { class: "notice" }, String(error.message || error))];
  }
  if (opened !== row) return;
  page.replaceChildren(...[content].flat(Infinity).filter(Boolean));
  page.setAttribute("aria-labelledby", "file-title");
  document.getElementById("overview").hidden = true;
  page.hidden = false;
  document.title = `${visible(index.name[row]).textContent} · deepscan report`;
  scrollTo(0, 0);
  const title = document.getElementById("file-title");
  title.tabIndex = -1;
  title.focus({ preventScroll: true });
}

function ways(row) {
  if (total === 1) return null;
  const at = table.rows.indexOf(row);
  const to = (place, text) => (table.rows[place] !== undefined && index.part[table.rows[place]] >= 0 && at >= 0
    ? el("a", { href: `#file-${table.rows[place]}` }, text) : null);
  return el("nav", { class: "ways", "aria-label": "Files" }, el("a", { href: "#" }, "← All files"),
    at >= 0 ? el("span", { class: "at" }, `${(at + 1).toLocaleString("en")} of ${table.rows.length.toLocaleString("en")}`) : null,
    to(at - 1, "Previous"), to(at + 1, "Next"));
}

function filePage(row, report) {
  const { item } = report;
  const findings = report.results.flatMap((result) => result.findings.map((finding) => ({ finding, check: result.check })))
    .map((entry, at) => ({ ...entry, at }));
  return [
    ways(row),
    el("header", { class: "file-head" }, heading(1, "file-title", el("bdi", {}, item.name)),
      el("p", { class: "about" }, `${item.container} ${item.kind}, ${bytes(item.size)}, in `, el("bdi", {}, item.root)),
      el("p", { class: "about" }, "SHA-256 ", copyable(item.sha256, "SHA-256"))),
    verdictCard(row, report, findings),
    photo(report),
    facesSection(report),
    report.results.map((result) => filmSection(report, result)),
    conclusions(row),
    findingsSection(findings),
    checksSection(report),
  ];
}

function verdictCard(row, report, findings) {
  const { verdict } = report;
  const account = words.accounts[index.account[row]];
  const [call, basis] = account.sentence.split(/: (.*)/s);
  const reasons = findings.filter(({ finding }) => verdict.because.includes(finding.code));
  const sides = verdict.basis === "conflict" ? conflict(reasons) : null;
  const unfinished = report.results.filter((result) => result.outcome === "failed" || result.outcome === "timed_out" || result.partial !== null);
  return el("section", { class: `verdict call-${verdict.call}`, "aria-label": "Verdict" },
    el("p", { class: "call" }, chip(verdict.call), el("span", {}, call.replace(words.calls[verdict.call], "").trim())),
    el("p", { class: "basis" }, basis.charAt(0).toUpperCase() + basis.slice(1)),
    verdict.score === null ? null : meter(verdict),
    sides || (reasons.length ? el("ul", { class: "because" }, reasons.map(reason)) : null),
    unfinished.length ? el("div", { class: "notice" }, el("p", {}, "Not all of it could be examined:"),
      el("ul", {}, unfinished.map((result) => el("li", {}, `${titleOf(result.check)}: `, quoted(result.reason || result.partial, false))))) : null);
}

const OPENING = 260;

// The opening of a long summary: all of it stands with its evidence, further down.
function reason({ finding, at }) {
  const { summary } = finding;
  if (summary.length <= OPENING * 1.3) return el("li", {}, quoted(summary, false));
  const ends = [...summary.matchAll(/[.!?] (?=[A-Z"])/g)].map((found) => found.index + 1).filter((end) => end <= OPENING);
  const end = ends.length ? ends.at(-1) : OPENING;
  const link = el("a", { href: `#file-${opened}`, onclick: (event) => {
    event.preventDefault();
    const card = document.getElementById(`finding-${at}`);
    card.scrollIntoView();
    card.tabIndex = -1;
    card.focus({ preventScroll: true });
  } }, "in full, with its evidence");
  return el("li", {}, quoted(summary.slice(0, end), false), ends.length ? " (" : "… (", link, ")");
}

function conflict(reasons) {
  const side = (title, wanted) => el("div", { class: "side" }, heading(2, null, title),
    el("ul", {}, reasons.filter(({ finding }) => wanted(finding.points_to)).map(reason)));
  return el("div", { class: "sides" }, side("Speaks for a camera's own picture", (points) => points === "authentic"),
    side("Speaks against it", (points) => points !== "authentic"));
}

function meter(verdict) {
  const at = (value) => 10 + value * 300;
  const said = `Model score ${verdict.score.toFixed(2)}` + (verdict.threshold === null ? "" : `, threshold ${verdict.threshold.toFixed(2)}`);
  const marks = [svg("rect", { x: 10, y: 8, width: 300, height: 8, rx: 4, class: "way" }),
    svg("rect", { x: 10, y: 8, width: 300 * verdict.score, height: 8, rx: 4, class: "done" })];
  if (verdict.threshold !== null) marks.push(svg("line", { x1: at(verdict.threshold), x2: at(verdict.threshold), y1: 2, y2: 22, class: "limit" }));
  return el("div", { class: "meter" }, svg("svg", { viewBox: "0 0 320 24", "aria-hidden": "true" }, marks), el("span", {}, `${said}. A score is no percentage of truth: see what it does not show.`));
}

// The small copy that the check `view` leaves, with the boxes of the parts in that frame.
function photo(report) {
  const piece = report.results.flatMap((result) => result.findings).flatMap((finding) => finding.evidence)
    .find((evidence) => evidence.label === "view" && evidence.exhibit && isMapping(evidence.value));
  if (!piece) return null;
  const { width, height } = piece.value;
  const frame = piece.where ? piece.where.frame : null;
  const parts = report.results.filter((result) => familyOf(result.check) === "model").flatMap((result) => result.parts);
  const here = parts.map((part, at) => ({ part, at })).filter(({ part }) => part.where.box && (part.where.frame === frame || part.where.frame === null));
  const boxes = here.map(({ part, at }) => {
    const { box } = part.where;
    const line = svg("rect", { x: box.x, y: box.y, width: box.width, height: box.height, class: `box${part.score ? "" : " left"}` });
    const said = label(box.x, Math.max(box.y - height / 60, height / 24), `${at + 1}${part.score ? `: ${part.score.value.toFixed(2)}` : ""}`, "start");
    said.setAttribute("font-size", String(Math.max(height, width) / 28));
    return [line, said];
  });
  const picture = shownPicture(addressOf(piece.exhibit), piece.exhibit, `A small copy of ${report.item.kind === "video" ? "one frame of the video" : "the picture"}`);
  return el("figure", { class: "photo" },
    el("div", { class: "stage" }, picture, boxes.length ? svg("svg", { viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" }, boxes) : null),
    el("figcaption", {}, `A small copy of ${width} × ${height} pixels`, piece.where && piece.where.seconds !== null ? ` at ${time(piece.where.seconds)}` : "", ", as it was examined.",
      boxes.length ? " Boxes: the parts of the table below, each with its model score." : ""));
}

// What the model says of each face or frame first; the numbers of its parts are those of the boxes in the picture.
function facesSection(report) {
  const groups = report.results.filter((result) => result.parts.length);
  if (!groups.length) return null;
  const byModel = (result) => familyOf(result.check) === "model";
  groups.sort((a, b) => byModel(b) - byModel(a));
  return groups.map((result) => el("section", {}, heading(2, null, byModel(result) ? "Faces, frames and pages" : titleOf(result.check)),
    el("details", { open: byModel(result) && result.parts.length <= 12 }, el("summary", {}, `${count(result.parts.length, "part")}, each with its own answer`),
      el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Answers for each part" }, partTable(result, byModel(result))))));
}

function partTable(result, numbered) {
  const timed = result.parts.some((part) => part.where.seconds !== null);
  const cell = (value) => el("td", {}, value === null || value === undefined ? "" : value);
  const titles = ["Part", timed ? "Time" : "Page", "Where", "Score", "Left out because"];
  return el("table", { class: "plain" }, el("thead", {}, el("tr", {}, titles.map((title) => el("th", { scope: "col" }, title)))),
    el("tbody", {}, result.parts.map((part, at) => el("tr", {}, el("th", { scope: "row" }, numbered ? `${part.kind} ${at + 1}` : part.kind),
      cell(timed ? (part.where.seconds === null ? null : time(part.where.seconds)) : (part.where.frame === null ? "1" : String(part.where.frame + 1))),
      cell(part.where.box ? `${part.where.box.width} × ${part.where.box.height} at (${part.where.box.x}, ${part.where.box.y})` : "the whole"),
      el("td", { class: "amount" }, part.score ? `${part.score.value.toFixed(2)}${part.score.meaning === "probability" ? "" : ` (${part.score.meaning})`}` : ""),
      cell(part.reason ? quoted(part.reason, false) : null)))));
}

function conclusions(row) {
  const account = words.accounts[index.account[row]];
  const list = (title, lines) => el("section", {}, heading(2, null, title), el("ul", {}, lines.map((line) => el("li", {}, line))));
  return el("div", { class: "conclusions" }, list("What this does not show", account.not_shown), list("What would settle it", account.settle));
}

function findingsSection(findings) {
  if (!findings.length) return el("section", {}, heading(2, null, "What was found"), el("p", {}, "Nothing."));
  const group = (family) => {
    const members = findings.filter(({ check }) => familyOf(check) === family)
      .sort((a, b) => RANK[a.finding.level] - RANK[b.finding.level] || a.at - b.at);
    if (!members.length) return null;
    const [name, what] = (Object.hasOwn(words.families, family) ? words.families[family] : "Other: checks that the run record does not name").split(": ");
    return el("section", { class: "family" }, heading(3, null, name, el("small", {}, what)), members.map(({ finding, at }) => findingCard(finding, at)));
  };
  return el("section", {}, heading(2, null, "What was found"), [...FAMILIES, "other"].map(group));
}

function checksSection(report) {
  const rows = report.results.map((result) => el("tr", {}, el("th", { scope: "row" }, titleOf(result.check)),
    el("td", {}, words.outcomes[result.outcome] || result.outcome,
      result.score ? el("span", { class: "where" }, ` ${result.score.meaning} ${result.score.value.toFixed(3)}`) : null),
    el("td", {}, result.reason ? quoted(result.reason, false) : result.partial ? ["Only in part: ", quoted(result.partial, false)] : result.findings.length ? count(result.findings.length, "finding") : "Nothing found."),
    el("td", { class: "full-only" }, el("code", {}, `${result.check} ${result.version}`)),
    el("td", { class: "full-only amount" }, `${result.seconds.toFixed(2)} s`)));
  const done = report.results.filter((result) => result.outcome === "done").length;
  return el("section", {}, heading(2, null, "What was examined, and what was not"),
    el("details", { "data-voice-open": "full" }, el("summary", {}, `${done} of ${count(report.results.length, "check")} applied and were carried out`),
      el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Checks" }, el("table", { class: "plain" },
        el("thead", {}, el("tr", {}, ["Check", "How it ended", "Result or reason"].map((title) => el("th", { scope: "col" }, title)),
          ["Version", "Time"].map((title) => el("th", { scope: "col", class: "full-only" }, title)))), el("tbody", {}, rows)))));
}
