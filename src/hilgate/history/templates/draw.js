// One plot on its canvas: frame, axis, toolchain changes, budget, values.
function decode(plot) {
  if (plot.x) return;
  plot.x = indices(plot.metric.at);
  plot.y = sums(plot.metric.values);
  const scale = plot.metric.scale;
  for (let i = 0; i < plot.y.length; i++) plot.y[i] /= scale;
}

function firstCommit() {
  const wanted = Number(controls.range.value);
  return wanted ? Math.max(0, count - wanted) : 0;
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
  const latest = steps[steps.length - 1];
  if (latest === undefined || latest === null) return;
  const above = f.y(latest) < margin.top - 4;
  if (!above && f.y(latest) <= f.bottom + 4) return;
  c.fillStyle = colours.budget; // it lies outside: say on which side
  c.textAlign = "right";
  c.fillText(above ? "budget ↑" : "budget ↓", f.right, above ? margin.top + 8 : f.bottom - 2);
  c.textAlign = "left";
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

function readColours() {
  const style = getComputedStyle(document.documentElement);
  const names = ["line", "quiet", "data", "budget", "switch"];
  return Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
}
