// The data as columns gives them (columns.py), and how values are written.
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

// First position in ascending `array` whose value is not below `value`.
function lowerBound(array, value) {
  let low = 0, high = array.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (array[middle] < value) low = middle + 1; else high = middle;
  }
  return low;
}

function stepAt(steps, index) {
  let value = null;
  for (let i = 0; i < steps.length && steps[i] <= index; i += 2) value = steps[i + 1];
  return value;
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

function commitLink(sha) {
  return `${data.link}/commit/${sha}`;
}
