// The trends: what is on the screen is drawn; keys, pointer, controls. values.js and draw.js stand before it, one function
// around all three (page.py). Only plots near the screen are drawn, each pixel column by its least and greatest value, so
// that the number of commits hardly matters. No library, no network.
const data = JSON.parse(document.getElementById("data").textContent);
const shaLetters = 12;
const dates = sums(data.date);
const count = dates.length;
const tip = document.getElementById("tip");
const spoken = document.getElementById("spoken");
const controls = {
  filter: document.getElementById("filter"),
  range: document.getElementById("range"),
  budgets: document.getElementById("budgets"),
};
const margin = { top: 8, right: 10, bottom: 18, left: 10 };
const plots = [...document.querySelectorAll(".plot")].map(makePlot);
let colours = readColours();

function makePlot(element) {
  const series = data.series[element.dataset.series];
  const plot = { element, series, metric: series.metrics[element.dataset.metric], dirty: true, seen: false, at: -1 };
  element.tabIndex = 0;
  element.setAttribute("role", "slider");
  element.setAttribute("aria-label", element.dataset.label);
  element.addEventListener("keydown", (event) => onKey(plot, event));
  element.addEventListener("pointermove", (event) => onPointer(plot, event));
  element.addEventListener("pointerdown", (event) => onPointer(plot, event));
  element.addEventListener("dblclick", () => openCommit(plot));
  element.addEventListener("focus", () => { if (plot.at < 0) select(plot, Infinity); else select(plot, plot.at); });
  return plot;
}

function describe(plot) {
  decode(plot);
  const element = plot.element, at = plot.at < 0 ? plot.x.length - 1 : plot.at, known = facts(plot, at);
  element.setAttribute("aria-valuemin", "1");
  element.setAttribute("aria-valuemax", String(plot.x.length));
  element.setAttribute("aria-valuenow", String(at + 1));
  const words = [known.value, known.moved, day(known.index), known.sha, data.subject[known.index]];
  element.setAttribute("aria-valuetext", words.join(", "));
}

function select(plot, at) {
  if (plot.dirty) draw(plot);
  const f = plot.frame;
  plot.at = Math.max(f.from, Math.min(at, plot.x.length - 1));
  const x = f.x(plot.x[plot.at]), y = f.y(plot.y[plot.at]);
  if (!plot.cursor) {
    plot.cursor = document.createElement("div");
    plot.cursor.className = "cursor";
    plot.element.append(plot.cursor);
  }
  plot.cursor.style.left = `${x}px`;
  plot.cursor.style.setProperty("--at", `${y}px`);
  for (const other of plots) if (other !== plot && other.cursor) { other.cursor.remove(); other.cursor = null; }
  describe(plot);
  showTip(plot, x);
}

function showTip(plot, x) {
  const known = facts(plot, plot.at);
  tip.replaceChildren();
  const line = (...parts) => {
    const p = document.createElement("p");
    for (const part of parts) p.append(part);
    tip.append(p);
  };
  const bold = document.createElement("b");
  bold.textContent = known.value;
  line(bold, ` ${known.moved}`);
  let name = document.createElement("code");
  name.textContent = known.sha;
  if (data.link) {
    const link = document.createElement("a");
    link.href = commitLink(known.sha);
    link.rel = "noopener";
    link.append(name);
    name = link;
  }
  line(day(known.index), " ", name, ` ${data.subject[known.index]}`);
  line([known.budget, known.toolchain].filter(Boolean).join(" · "));
  tip.hidden = false;
  const box = plot.element.getBoundingClientRect();
  const left = Math.min(box.left + x + 12, document.documentElement.clientWidth - tip.offsetWidth - 8);
  tip.style.left = `${Math.max(8, left) + window.scrollX}px`;
  tip.style.top = `${box.bottom + window.scrollY + 4}px`;
}

function hideTip() {
  tip.hidden = true;
  for (const plot of plots) if (plot.cursor) { plot.cursor.remove(); plot.cursor = null; }
}

function openCommit(plot) {
  if (data.link && plot.at >= 0) window.location.assign(commitLink(facts(plot, plot.at).sha));
}

function onPointer(plot, event) {
  if (plot.dirty) draw(plot);
  const f = plot.frame, left = plot.element.getBoundingClientRect().left;
  const index = f.first + ((event.clientX - left - margin.left) / (f.right - margin.left)) * (f.last - f.first);
  const after = Math.min(lowerBound(plot.x, index), plot.x.length - 1);
  const nearer = after > 0 && index - plot.x[after - 1] < plot.x[after] - index ? after - 1 : after;
  select(plot, nearer);
}

function onKey(plot, event) {
  const from = plot.at < 0 ? plot.x.length - 1 : plot.at;
  const moves = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -10, PageUp: 10, Home: -Infinity, End: Infinity };
  if (event.key in moves) select(plot, from + moves[event.key]);
  else if (event.key === "Enter") openCommit(plot);
  else if (event.key === "Escape") hideTip();
  else return;
  event.preventDefault();
}

function redraw() {
  hideTip();
  for (const plot of plots) {
    plot.dirty = true;
    if (plot.seen) draw(plot);
  }
}

function filter() {
  const words = controls.filter.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const section of document.querySelectorAll(".series")) {
    section.hidden = !words.every((word) => section.dataset.words.includes(word));
    if (!section.hidden) shown++;
  }
  document.getElementById("none").hidden = shown > 0 || !plots.length;
  spoken.textContent = `${shown} series`;
}

function readAddress() {
  const wanted = new URLSearchParams(window.location.hash.slice(1));
  controls.filter.value = wanted.get("cells") || "";
  const range = wanted.get("last") || "0";
  if ([...controls.range.options].some((option) => option.value === range)) controls.range.value = range;
  controls.budgets.checked = wanted.get("budgets") !== "0";
}

function writeAddress() {
  const now = new URLSearchParams();
  if (controls.filter.value) now.set("cells", controls.filter.value);
  if (controls.range.value !== "0") now.set("last", controls.range.value);
  if (!controls.budgets.checked) now.set("budgets", "0");
  history.replaceState(null, "", `#${now}`);
}

const watcher = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    const plot = plots.find((one) => one.element === entry.target);
    plot.seen = entry.isIntersecting;
    if (plot.seen && plot.dirty) draw(plot);
  }
  const root = document.documentElement;
  if (root.dataset.drawnMs) return;
  const shown = () => { root.dataset.drawnMs = performance.now().toFixed(0); }; // the frame before it had the plots
  requestAnimationFrame(() => requestAnimationFrame(shown));
}, { rootMargin: "200px" });

readAddress();
filter();
document.getElementById("controls").hidden = false;
controls.filter.addEventListener("input", () => { filter(); writeAddress(); });
controls.range.addEventListener("change", () => { redraw(); writeAddress(); });
controls.budgets.addEventListener("change", () => { redraw(); writeAddress(); });
document.getElementById("controls").addEventListener("submit", (event) => event.preventDefault());
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { colours = readColours(); redraw(); });
let width = window.innerWidth;
window.addEventListener("resize", () => { if (window.innerWidth !== width) { width = window.innerWidth; redraw(); } });
document.addEventListener("keydown", (event) => { if (event.key === "Escape") hideTip(); });
document.addEventListener("pointerdown", (event) => { if (!event.target.closest(".plot, #tip")) hideTip(); });
for (const plot of plots) watcher.observe(plot.element);
