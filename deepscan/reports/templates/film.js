// Scores over time: a chart for films, and the table it is drawn from.

const WIDE = 960;
const HIGH = 220;
const LEFT = 44;
const MOST_DOTS = 1000; // of a track: more run into one line

function pointsOf(result) {
  // Intensities of different kinds are no course of one thing over time.
  const points = result.parts.filter((part) => part.where.seconds !== null && (!part.score || part.score.meaning === "probability"));
  const film = result.film || null;
  if (!film && (points.length < 2 || !points.some((part) => part.score))) return null;
  const seconds = [...points.map((part) => part.where.seconds), ...(film ? film.frames.map((frame) => frame.seconds) : [])];
  const end = Math.max((film && film.seconds) || 0, ...seconds);
  return end > 0 ? { film, points, end } : null;
}

function chart(found, threshold) {
  const x = (seconds) => LEFT + (seconds / found.end) * (WIDE - LEFT - 10);
  const y = (value) => 12 + (1 - value) * (HIGH - 44);
  const parts = [];
  for (const value of [0, 0.5, 1]) {
    parts.push(svg("line", { x1: LEFT, x2: WIDE - 10, y1: y(value), y2: y(value), class: "rule" }));
    parts.push(label(LEFT - 8, y(value) + 4, value.toFixed(1), "end"));
  }
  for (const share of [0, 0.25, 0.5, 0.75, 1]) {
    parts.push(label(x(found.end * share), HIGH - 8, time(found.end * share), share === 0 ? "start" : share === 1 ? "end" : "middle"));
  }
  for (const cut of found.film ? found.film.cuts : []) parts.push(svg("line", { x1: x(cut), x2: x(cut), y1: y(1), y2: y(0), class: "cut" }));
  for (const clip of found.film ? found.film.clips : []) {
    parts.push(svg("rect", { x: x(clip.span.start), width: Math.max(2, x(clip.span.end) - x(clip.span.start)), y: y(1), height: y(0) - y(1), class: "clip" }));
  }
  if (threshold !== null) {
    parts.push(svg("line", { x1: LEFT, x2: WIDE - 10, y1: y(threshold), y2: y(threshold), class: "threshold" }));
  }
  const tracks = new Map();
  for (const part of found.points) {
    const track = part.track === undefined || part.track === null ? 0 : part.track;
    if (!tracks.has(track)) tracks.set(track, []);
    if (part.score) tracks.get(track).push(part);
    else parts.push(svg("line", { x1: x(part.where.seconds), x2: x(part.where.seconds), y1: y(0), y2: y(0) + 6, class: "left-out" }));
  }
  for (const [track, members] of tracks) {
    members.sort((a, b) => a.where.seconds - b.where.seconds);
    const way = members.map((part) => `${x(part.where.seconds).toFixed(1)},${y(part.score.value).toFixed(1)}`).join(" ");
    parts.push(svg("polyline", { points: way, class: `track track-${track % 6}` }));
    if (members.length <= MOST_DOTS) for (const part of members) parts.push(svg("circle", { cx: x(part.where.seconds), cy: y(part.score.value), r: 3, class: `track-${track % 6}` }));
  }
  const said = `Score over time, ${found.points.length} samples in ${time(found.end)}. The table below has the numbers.`;
  return el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Chart of the score over time" },
    svg("svg", { viewBox: `0 0 ${WIDE} ${HIGH}`, class: "timeline", role: "img", "aria-label": said }, parts));
}

function label(x, y, text, anchor) {
  const node = svg("text", { x, y, "text-anchor": anchor });
  node.textContent = text;
  return node;
}

function filmSection(item, result) {
  const found = pointsOf(result);
  if (!found) return null;
  const { film } = found;
  const about = film ? el("p", {}, quoted(film.sampling, false), ` ${film.frames.length} frames looked at`,
    film.total === null ? "" : ` of ${film.total.toLocaleString("en")}`, `, ${film.cuts.length + 1} ${film.cuts.length ? "shots" : "shot"}. Read with `, film.reader, ".") : null;
  return el("section", { class: "film" }, heading(3, null, "Over time"), about, chart(found, item.verdict.threshold),
    el("p", { class: "key" }, "Line: the model's score. ", item.verdict.threshold === null ? "" : `Dashed: the threshold, ${item.verdict.threshold.toFixed(2)}. `,
      film && film.cuts.length ? "Dotted: cuts. " : "", film && film.clips.length ? "Shaded: stretches worth looking at. " : "", "Ticks below: left out, with a reason in the table."),
    film ? trackTable(film) : null);
}

function trackTable(film) {
  if (!film.tracks.length) return null;
  const row = (track) => {
    const clips = film.clips.filter((clip) => clip.track === track.number).map((clip) => `${clip.span.start_timecode} to ${clip.span.end_timecode}`);
    return el("tr", {}, el("th", { scope: "row" }, `${track.kind} ${track.number}`), el("td", {}, `${track.span.start_timecode} to ${track.span.end_timecode}`),
      el("td", { class: "amount" }, track.looked_at), el("td", { class: "amount" }, track.score ? track.score.value.toFixed(2) : "none"),
      el("td", {}, LEVELS[track.level] || track.level), el("td", {}, clips.length ? clips.join("; ") : "none"));
  };
  return [
    el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Who is seen when" }, el("table", { class: "plain" }, el("caption", {}, "Who is seen when"),
      el("thead", {}, el("tr", {}, ["Track", "From, to", "Frames scored", "Score", "Level", "Worth looking at"].map((title) => el("th", { scope: "col" }, title)))),
      el("tbody", {}, film.tracks.map(row)))),
    el("div", { class: "exhibits" }, film.tracks.filter((track) => track.exhibit).map((track) =>
      figure({ label: `${track.kind} ${track.number}`, value: "the frames in which it is seen best", exhibit: track.exhibit }, []))),
  ];
}
