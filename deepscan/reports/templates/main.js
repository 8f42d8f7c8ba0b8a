// Which page is shown, in which voice, theme and for which medium.

const root = document.documentElement;
const PRINTED = 1000;

function route() {
  const found = /^#file-(\d{1,9})$/.exec(location.hash);
  const row = found ? Number(found[1]) : total === 1 && index.part[0] >= 0 && !location.hash.includes("content") ? 0 : -1;
  if (row >= 0 && row < total && index.part[row] >= 0) { open(row); return; }
  if (location.hash === "#content") return;
  const left = opened;
  opened = -1;
  document.getElementById("file").hidden = true;
  document.getElementById("overview").hidden = false;
  document.title = titled;
  draw(true);
  const at = table.rows.indexOf(left);
  if (at >= 0) { table.frame.scrollTop = Math.max(0, at - 3) * table.height; draw(true); focusRow(at); }
}

function speak(voice) {
  root.dataset.style = voice;
  for (const button of document.querySelectorAll("[data-voice]")) button.setAttribute("aria-pressed", String(button.dataset.voice === voice));
}

const THEMES = { "": "as the system", light: "light", dark: "dark" };

function nextTheme(event) {
  const names = Object.keys(THEMES);
  const name = names[(names.indexOf(root.dataset.theme || "") + 1) % names.length];
  if (name) root.dataset.theme = name; else delete root.dataset.theme;
  event.target.textContent = `Theme: ${THEMES[name]}`;
}

// Paper has no scroll bar: what is folded is opened, and the table is laid out whole, up to a bound.
function toPaper() {
  for (const fold of document.querySelectorAll("details:not([open])")) {
    if (root.dataset.style === "full" || !fold.classList.contains("handbook")) { fold.open = true; fold.dataset.unfolded = "yes"; }
  }
  if (document.getElementById("overview").hidden) return;
  const rows = Math.min(table.rows.length, PRINTED);
  table.body.style.height = "auto";
  table.body.replaceChildren(...Array.from({ length: rows }, (_, at) => rowOf(at)));
  if (rows < table.rows.length) table.body.append(el("p", { class: "notice" }, `The first ${rows.toLocaleString("en")} of ${table.rows.length.toLocaleString("en")} files in this order: narrow the list before printing.`));
  table.body.dataset.range = "paper";
}

function fromPaper() {
  for (const fold of document.querySelectorAll("[data-unfolded]")) { fold.open = false; delete fold.dataset.unfolded; }
  if (!document.getElementById("overview").hidden) draw(true);
}

const titled = document.title;
document.querySelector(".tools").hidden = false;
for (const button of document.querySelectorAll("[data-voice]")) button.addEventListener("click", () => speak(button.dataset.voice));
document.getElementById("theme").addEventListener("click", nextTheme);
document.getElementById("print").addEventListener("click", () => print());
addEventListener("beforeprint", toPaper);
addEventListener("afterprint", fromPaper);
addEventListener("hashchange", route);
addEventListener("keydown", (event) => { if (event.key === "Escape" && opened >= 0 && total > 1) location.hash = "#"; });
if (total) buildTable();
// What the first search needs is made while the reader reads.
if (total) (globalThis.requestIdleCallback || setTimeout)(() => haystack());
speak(root.dataset.style);
if (total) route();
