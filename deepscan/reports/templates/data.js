// The data islands. What is large is read when it is first needed.

function island(id) {
  return JSON.parse(document.getElementById(id).textContent);
}

const index = island("index");
const words = island("words");
const total = index.name.length;
const kept = new Map();
let pictures = null;

const textOf = (column, row) => index.texts[index[column][row]];
const callOf = (row) => index.calls[index.call[row]];

// A picture's address: inside this page, or beside it.
function addressOf(exhibit) {
  pictures = pictures || island("pictures");
  if (Object.hasOwn(pictures.inside, exhibit)) return pictures.inside[exhibit];
  const safe = /^exhibits\/[0-9A-Za-z][0-9A-Za-z._-]*\.(png|jpg)$/.test(exhibit);
  return safe ? exhibit : null;
}

const first = new Map();
index.part.forEach((part, row) => { if (part >= 0 && !first.has(part)) first.set(part, row); });

// The document of one file. Rows of a part stand in the order of its documents.
async function detailsOf(row) {
  const part = index.part[row];
  if (!kept.has(part)) {
    if (kept.size > 16) kept.clear();
    kept.set(part, read(document.getElementById(`part-${part}`)));
  }
  return (await kept.get(part))[row - first.get(part)];
}

async function read(element) {
  if (element.type === "application/json") return JSON.parse(element.textContent);
  if (typeof DecompressionStream === "undefined") {
    throw new Error("This browser is too old to open the details (it has no DecompressionStream). The table works, and report.json holds everything.");
  }
  const packed = Uint8Array.from(atob(element.textContent), (c) => c.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  return JSON.parse(await new Response(stream).text());
}
