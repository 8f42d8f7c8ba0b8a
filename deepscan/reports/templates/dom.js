// Building the page. Whatever comes from a file reaches the page as the text of a node, never as markup.

// Control and format characters, surrogates that stand alone, and the escape of report.json for bytes that are no text.
const HIDDEN = /\ufffd\{(?:fffd|d[89a-f][0-9a-f]{2})\}|[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;
const LONG = 1500;

function el(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === false || value === null || value === undefined) continue;
    if (name === "onclick") node.addEventListener("click", value);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  append(node, children);
  return node;
}

function append(node, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    node.append(child instanceof Node ? child : visible(String(child)));
  }
  return node;
}

function svg(tag, attributes, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes || {})) node.setAttribute(name, String(value));
  for (const child of children.flat(Infinity)) if (child) node.append(child);
  return node;
}

function escaped(character) {
  if (character.length > 2) return "\\u" + character.slice(2, -1);
  const point = character.codePointAt(0);
  if (point < 0x100) return "\\x" + point.toString(16).padStart(2, "0");
  return point < 0x10000 ? "\\u" + point.toString(16).padStart(4, "0") : "\\U" + point.toString(16).padStart(8, "0");
}

// Text with everything visible that a screen would hide, act on or turn around; line breaks stay where `lines` is set.
function visible(text, lines) {
  if (!HIDDEN.test(text)) return document.createTextNode(text);
  const out = document.createDocumentFragment();
  let plain = "";
  const pieces = text.split(new RegExp("(" + HIDDEN.source + ")", "u"));
  for (const [place, piece] of pieces.entries()) {
    if (place % 2 === 0 || (lines && (piece === "\n" || piece === "\t"))) { plain += piece; continue; }
    if (lines && piece === "\r") continue;
    if (plain) out.append(plain);
    plain = "";
    const mark = document.createElement("span");
    mark.className = "escape";
    mark.textContent = escaped(piece);
    out.append(mark);
  }
  if (plain) out.append(plain);
  return out;
}

// A text of the file's own: its direction does not reach beyond it, and a long one is cut until the reader asks.
function quoted(text, lines) {
  const node = el("bdi", { class: lines ? "quoted lines" : "quoted" });
  if (text.length <= LONG) { node.append(visible(text, lines)); return node; }
  node.append(visible(text.slice(0, LONG), lines));
  const more = el("button", { type: "button", class: "more", onclick: () => { node.replaceChildren(visible(text, lines)); } },
    `… ${(text.length - LONG).toLocaleString("en")} more characters`);
  return el("span", {}, node, " ", more);
}

function bytes(number) {
  let amount = number;
  for (const unit of ["B", "KiB", "MiB", "GiB"]) {
    if (amount < 1024) return unit === "B" ? `${amount} B` : `${amount.toFixed(1)} ${unit}`;
    amount /= 1024;
  }
  return `${amount.toFixed(1)} TiB`;
}

const count = (number, noun, several) => `${number.toLocaleString("en")} ${number === 1 ? noun : several || noun + "s"}`;

function time(seconds) {
  const rest = (seconds % 60).toFixed(2).padStart(5, "0");
  const minutes = Math.floor(seconds / 60);
  return seconds < 60 ? `${seconds.toFixed(2)} s` : `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}:${rest}`;
}

function copyable(text, what) {
  const said = el("span", { role: "status", class: "copied" });
  const button = el("button", { type: "button", class: "copy", "aria-label": `Copy the ${what}`, onclick: async () => {
    try { await navigator.clipboard.writeText(text); said.textContent = "copied"; }
    catch { getSelection().selectAllChildren(button.previousSibling); said.textContent = "selected"; }
  } }, "copy");
  return [el("code", { class: "hash" }, text), button, said];
}
