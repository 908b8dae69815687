"use strict";
// Draws the trends. Data by columns (see columns.py); only plots on the screen are drawn, each pixel column by its least
// and greatest value, so that the number of commits hardly matters. No library, no network.
(() => {
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

  function sums(deltas) {
    const found = new Float64Array(deltas.length);
    let sum = 0;
    for (let i = 0; i < deltas.length; i++) found[i] = sum += deltas[i];
    return found;
  }

  function indices(runs) {
    const found = [];
    for (let i = 0; i < runs.length; i += 2) for (let k = 0; k < runs[i + 1]; k++) found.push(runs[i] + k);
    return Int32Array.from(found);
  }

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

  function decode(plot) {
    if (plot.x) return;
    plot.x = indices(plot.metric.at);
    plot.y = sums(plot.metric.values);
    const scale = plot.metric.scale;
    for (let i = 0; i < plot.y.length; i++) plot.y[i] /= scale;
  }

  // First position in ascending `array` whose value is not below `value`.
  function lowerBound(array, value) {
    let low = 0, high = array.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (array[middle] < value) low = middle + 1; else high = middle;
    }
    return low;
  }

  function firstCommit() {
    const wanted = Number(controls.range.value);
    return wanted ? Math.max(0, count - wanted) : 0;
  }

  function stepAt(steps, index) {
    let value = null;
    for (let i = 0; i < steps.length && steps[i] <= index; i += 2) value = steps[i + 1];
    return value;
  }

  function frame(plot) {
    decode(plot);
    const first = firstCommit(), last = Math.max(count - 1, first + 1);
    const from = Math.min(lowerBound(plot.x, first), plot.x.length - 1), to = plot.x.length;
    let least = Infinity, most = -Infinity;
    for (let i = from; i < to; i++) {
      if (plot.y[i] < least) least = plot.y[i];
      if (plot.y[i] > most) most = plot.y[i];
    }
    const dataLeast = least, dataMost = most;
    if (controls.budgets.checked) {
      for (let i = 0; i < plot.metric.budget.length; i += 2) {
        const next = i + 2 < plot.metric.budget.length ? plot.metric.budget[i + 2] : Infinity;
        const budget = plot.metric.budget[i + 1];
        if (next > first && budget !== null) { least = Math.min(least, budget); most = Math.max(most, budget); }
      }
    }
    const span = most - least || Math.abs(most) * 0.02 || 1;
    least -= span * 0.08;
    most += span * 0.08;
    const width = plot.element.clientWidth, height = plot.element.clientHeight;
    const right = width - margin.right, bottom = height - margin.bottom;
    const x = (index) => margin.left + ((index - first) / (last - first)) * (right - margin.left);
    const y = (value) => bottom - ((value - least) / (most - least)) * (bottom - margin.top);
    return { first, last, from, to, width, height, right, bottom, x, y, dataLeast, dataMost };
  }

  function draw(plot) {
    const f = (plot.frame = frame(plot));
    const ratio = Math.min(window.devicePixelRatio || 1, 2);
    if (!plot.canvas) plot.element.prepend((plot.canvas = document.createElement("canvas")));
    plot.canvas.width = Math.round(f.width * ratio);
    plot.canvas.height = Math.round(f.height * ratio);
    const c = plot.canvas.getContext("2d");
    c.scale(ratio, ratio);
    c.font = "11px system-ui, sans-serif";
    drawAxis(c, plot, f);
    drawSwitches(c, plot, f);
    drawBudget(c, plot, f);
    drawValues(c, plot, f);
    plot.dirty = false;
    describe(plot);
  }

  function drawAxis(c, plot, f) {
    c.strokeStyle = colours.line;
    c.lineWidth = 1;
    c.beginPath();
    c.moveTo(margin.left, f.bottom + 0.5);
    c.lineTo(f.right, f.bottom + 0.5);
    c.stroke();
    c.fillStyle = colours.quiet;
    c.textBaseline = "bottom";
    c.fillText(day(f.first), margin.left, f.height);
    c.textAlign = "right";
    c.fillText(day(count - 1), f.right, f.height);
    c.textAlign = "center";
    const unit = plot.metric.unit, values = [f.dataLeast, f.dataMost].map((value) => amount(unit, value));
    const range = values[0] === values[1] ? values[0] : `${values[0].replace(/ .*/, "")} to ${values[1]}`;
    if (c.measureText(range).width < f.width - 160) c.fillText(range, f.width / 2, f.height);
    c.textAlign = "left";
  }

  function drawSwitches(c, plot, f) {
    c.strokeStyle = colours.switch;
    c.setLineDash([2, 3]);
    const steps = plot.series.toolchain;
    for (let i = 2; i < steps.length; i += 2) {
      if (steps[i] < f.first) continue;
      const x = Math.round(f.x(steps[i] - 0.5)) + 0.5;
      c.beginPath();
      c.moveTo(x, margin.top);
      c.lineTo(x, f.bottom);
      c.stroke();
    }
    c.setLineDash([]);
  }

  function drawBudget(c, plot, f) {
    const steps = plot.metric.budget;
    c.save();
    c.beginPath();
    c.rect(0, margin.top - 4, f.width, f.bottom - margin.top + 8);
    c.clip();
    c.strokeStyle = colours.budget;
    c.lineWidth = 1.5;
    c.setLineDash([6, 4]);
    c.beginPath();
    for (let i = 0; i < steps.length; i += 2) {
      if (steps[i + 1] === null) continue;
      const until = i + 2 < steps.length ? steps[i + 2] : f.last;
      if (until < f.first) continue;
      c.moveTo(Math.max(f.x(steps[i]), margin.left), f.y(steps[i + 1]));
      c.lineTo(f.x(until), f.y(steps[i + 1]));
    }
    c.stroke();
    c.restore();
  }

  function drawValues(c, plot, f) {
    c.strokeStyle = colours.data;
    c.fillStyle = colours.data;
    c.lineWidth = 1.5;
    c.lineJoin = "round";
    c.beginPath();
    const dense = f.to - f.from > 2 * f.width;
    let column = -1, least = 0, most = 0, leave = 0;
    for (let i = f.from; i < f.to; i++) {
      const x = f.x(plot.x[i]), y = f.y(plot.y[i]);
      if (!dense) { if (i === f.from) c.moveTo(x, y); else c.lineTo(x, y); continue; }
      const here = Math.round(x);
      if (here === column) {
        if (y < least) least = y;
        if (y > most) most = y;
      } else {
        if (column >= 0) { c.lineTo(column, least); c.lineTo(column, most); c.lineTo(column, leave); }
        if (column < 0) c.moveTo(here, y); else c.lineTo(here, y);
        column = here;
        least = most = y;
      }
      leave = y;
    }
    if (dense) { c.lineTo(column, least); c.lineTo(column, most); c.lineTo(column, leave); }
    c.stroke();
    const dots = f.to - f.from <= 120;
    for (let i = dots ? f.from : f.to - 1; i < f.to; i++) {
      c.beginPath();
      c.arc(f.x(plot.x[i]), f.y(plot.y[i]), i === f.to - 1 ? 3 : 2, 0, 7);
      c.fill();
    }
  }

  function day(index) {
    return new Date(dates[index] * 1000).toISOString().slice(0, 10);
  }

  function amount(unit, value) {
    const number = (digits) => value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
    if (unit === "bytes") return `${number(0)} B`;
    if (unit === "us") return `${number(1)} µs`;
    return unit === "fraction" ? `${(100 * value).toFixed(2)} %` : value.toPrecision(6).replace(/\.?0+$/, "");
  }

  function change(plot, at) {
    if (at === 0) return "first";
    const unit = plot.metric.unit, before = plot.y[at - 1], moved = plot.y[at] - before;
    if (moved === 0) return "±0";
    const sign = moved > 0 ? "+" : "−", size = Math.abs(moved);
    if (unit === "fraction") return `${sign}${(100 * size).toFixed(2)} points`;
    const share = before && unit !== "score" ? ` (${sign}${((100 * size) / Math.abs(before)).toFixed(2)} %)` : "";
    return `${sign}${amount(unit, size)}${share}`;
  }

  function facts(plot, at) {
    const index = plot.x[at], budget = stepAt(plot.metric.budget, index);
    const toolchain = stepAt(plot.series.toolchain, index);
    const before = at > 0 ? stepAt(plot.series.toolchain, plot.x[at - 1]) : toolchain;
    return {
      index,
      sha: data.sha.slice(index * shaLetters, (index + 1) * shaLetters),
      value: amount(plot.metric.unit, plot.y[at]),
      moved: change(plot, at),
      budget: budget === null ? "" : `budget ${amount(plot.metric.unit, budget)}`,
      toolchain: before === toolchain ? toolchain : `${before} → ${toolchain}`,
    };
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

  function commitLink(sha) {
    return `${data.link}/commit/${sha}`;
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

  function readColours() {
    const style = getComputedStyle(document.documentElement);
    const names = ["line", "quiet", "data", "budget", "switch"];
    return Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
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
})();
