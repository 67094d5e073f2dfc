// Draws what vectors/admin/charts.py describes with Chart.js, which unfold brings along (window.Chart).
const Chart = window.Chart;
const language = document.documentElement.lang || "en";
const drawn = new Map();

// Told apart by everybody, also in grey: Okabe and Ito's colours, those that both themes can show.
const COLOURS = ["#4f46e5", "#d55e00", "#009e73", "#cc79a7", "#0072b2", "#b8860b", "#7f7f7f", "#56b4e9"];
const DARK_COLOURS = ["#8f96ff", "#ff8c42", "#2ec79a", "#e59cc4", "#5aa9e6", "#f0c04a", "#a6a6a6", "#8ed1f5"];
const SHAPES = ["circle", "triangle", "rect", "rectRot", "star", "crossRot"];

const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const isDark = () => document.documentElement.classList.contains("dark");
const colour = (index) => (isDark() ? DARK_COLOURS : COLOURS)[index % COLOURS.length];

const number = new Intl.NumberFormat(language, { maximumSignificantDigits: 4 });
const compact = new Intl.NumberFormat(language, { notation: "compact", maximumSignificantDigits: 3 });
const clock = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const day = new Intl.DateTimeFormat(language, { month: "short", day: "numeric" });
const moment = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short", hourCycle: "h23" });
const figure = (value) => (Math.abs(value) >= 1e4 ? compact : number).format(value);

const shown = (value, scale) => {
  if (value === null || value === undefined) return "–";
  if (scale === "time") return moment.format(value);
  return typeof value === "number" ? number.format(value) : value;
};

// Marks at round times of the reader's day, which Chart.js has not without a library of dates.
const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 10080, 20160, 43200].map((minutes) => minutes * 6e4);

function markTimes(scale) {
  const step = STEPS.find((one) => (scale.max - scale.min) / one <= 7) ?? STEPS.at(-1);
  const midnight = new Date(scale.min).setHours(0, 0, 0, 0);
  scale.ticks = [];
  for (let value = midnight + Math.ceil((scale.min - midnight) / step) * step; value <= scale.max; value += step) {
    scale.ticks.push({ value });
  }
  if (!scale.ticks.length) scale.ticks = [{ value: scale.min }, { value: scale.max }];
}

function time(value) {
  const at = new Date(value);
  return (at.getHours() || at.getMinutes() ? clock : day).format(value);
}

// Of a logarithmic axis the powers of ten, and where there are few of them what lies between.
function power(value, at, ticks) {
  const decades = Math.log10(ticks.at(-1).value / ticks[0].value);
  const lead = Math.round(value / 10 ** Math.floor(Math.log10(value) + 1e-9));
  return (decades > 2 ? [1] : [1, 2, 5]).includes(lead) ? figure(value) : "";
}

function axis(of, { small }) {
  const options = {
    display: !small,
    type: { time: "linear", log: "logarithmic" }[of.scale] ?? of.scale,
    title: { display: Boolean(of.title) && !small, text: of.title, color: style("--afn-subtle") },
    grid: { color: style("--afn-line"), drawTicks: false },
    border: { color: style("--afn-line") },
    ticks: { color: style("--afn-subtle"), maxRotation: 0, autoSkipPadding: 12 },
  };
  if (of.low !== null) options.min = of.low;
  if (of.high !== null) options.max = of.high;
  if (of.scale === "time") Object.assign(options, { afterBuildTicks: markTimes, bounds: "data" });
  const label = { time, linear: figure, log: power }[of.scale];
  if (label) options.ticks.callback = label;
  return options;
}

// A line for each interval, from its low to its high end: Chart.js has none of its own.
const intervals = {
  id: "afn-intervals",
  beforeDatasetsDraw(chart) {
    const { ctx, scales } = chart;
    chart.data.datasets.forEach((dataset, index) => {
      if (!chart.isDatasetVisible(index)) return;
      ctx.save();
      ctx.beginPath();
      ctx.rect(chart.chartArea.left, chart.chartArea.top - 2, chart.chartArea.width, chart.chartArea.height + 4);
      ctx.clip();
      ctx.strokeStyle = dataset.borderColor;
      ctx.lineWidth = 2;
      chart.getDatasetMeta(index).data.forEach((element, at) => {
        const point = dataset.data[at];
        if (point?.low === undefined) return;
        const [low, high] = [scales.y.getPixelForValue(point.low), scales.y.getPixelForValue(point.high)];
        ctx.beginPath();
        for (const end of [low, high]) {
          ctx.moveTo(element.x - 4, end);
          ctx.lineTo(element.x + 4, end);
        }
        ctx.moveTo(element.x, low);
        ctx.lineTo(element.x, high);
        ctx.stroke();
      });
      ctx.restore();
    });
  },
};

function dataset(series, index, { small }) {
  const paint = series.marked ? style("--afn-strong") : colour(index);
  const points = series.points.length;
  return {
    label: series.name,
    type: { points: "scatter", line: "line", bar: "bar" }[series.shape],
    data: series.points,
    borderColor: paint,
    backgroundColor: series.shape === "bar" ? paint : `color-mix(in srgb, ${paint} ${small ? 14 : 70}%, transparent)`,
    borderWidth: series.shape === "bar" ? 0 : small ? 1.5 : 2,
    fill: small ? "origin" : false,
    pointStyle: SHAPES[index % SHAPES.length],
    pointRadius: small ? 0 : series.marked ? 8 : series.shape === "points" ? (points > 1500 ? 2.5 : 4) : points > 40 ? 0 : 3,
    pointHoverRadius: small ? 0 : series.marked ? 9 : 6,
    pointHitRadius: small ? 12 : 4,
    tension: 0,
    // Without parsing Chart.js takes x to be in order, and the first and last for the ends of the axis.
    parsing: series.shape === "points" ? { xAxisKey: "x", yAxisKey: "y" } : false,
    normalized: series.shape === "line",
  };
}

function config(spec) {
  const xs = spec.series.flatMap((series) => series.points.map((point) => point.x));
  const isNamed = spec.x.scale === "category";
  const datasets = spec.series.map((series, index) => dataset(series, index, spec));
  // Of bars that lie, x goes down and y to the right.
  const [across, up] = spec.horizontal ? ["y", "x"] : ["x", "y"];
  if (isNamed) datasets.forEach((one) => (one.parsing = { xAxisKey: across, yAxisKey: up }));
  const shape = spec.series[0]?.shape ?? "line";
  const scales = { [across]: axis(spec.x, spec), [up]: axis(spec.y, spec) };
  const [first, last] = [Math.min(...xs), Math.max(...xs)];
  // About a single moment Chart.js would show years.
  if (spec.x.scale === "time" && first === last) Object.assign(scales[across], { suggestedMin: first - 18e5, suggestedMax: first + 18e5 });
  const isCount = spec.series.every((series) => series.points.every((point) => Number.isInteger(point.y)));
  if (isCount && spec.y.scale === "linear") scales[up].ticks.precision = 0;
  if (spec.horizontal) scales[across].ticks.autoSkip = false;
  if (spec.stacked) scales.x.stacked = scales.y.stacked = true;
  if (isNamed) Object.assign(scales[across], { labels: [...new Set(xs)], offset: true });
  // Chart.js looks at the points alone: the ends of their intervals are to be seen, too.
  const ends = spec.series.flatMap((series) => series.points.flatMap((point) => [point.low, point.high]));
  const known = ends.filter((end) => typeof end === "number");
  if (known.length) Object.assign(scales[up], { suggestedMin: Math.min(...known), suggestedMax: Math.max(...known) });
  if (spec.small && spec.y.low === null) scales.y.beginAtZero = true;
  const zoom = { wheel: { enabled: true }, pinch: { enabled: true }, mode: "xy" };
  return {
    type: { points: "scatter", line: "line", bar: "bar" }[shape],
    data: { datasets },
    plugins: [intervals],
    options: {
      animation: false,
      responsive: true,
      maintainAspectRatio: false,
      locale: language,
      indexAxis: across,
      interaction: shape === "points" ? { mode: "nearest", intersect: true } : { mode: "index", axis: across, intersect: false },
      scales,
      onClick: (event, elements, chart) => {
        const hit = elements[0];
        const url = hit && chart.data.datasets[hit.datasetIndex].data[hit.index].url;
        if (url) location.assign(url);
      },
      onHover: (event, elements, chart) => {
        const hit = elements[0];
        const url = hit && chart.data.datasets[hit.datasetIndex].data[hit.index].url;
        chart.canvas.style.cursor = url ? "pointer" : "";
      },
      plugins: {
        legend: {
          display: !spec.small && spec.series.length > 1,
          position: "bottom",
          labels: { color: style("--afn-text"), usePointStyle: true, boxHeight: 7 },
        },
        tooltip: {
          callbacks: {
            title: (items) => (items[0].raw.text ? items[0].raw.text : shown(items[0].raw.x, spec.x.scale)),
            label: ({ dataset: of, raw }) => {
              const ends = raw.low === undefined ? "" : ` (${shown(raw.low)} – ${shown(raw.high)})`;
              const at = raw.text ? `${shown(raw.x, spec.x.scale)}; ` : "";
              return `${of.label}: ${at}${shown(raw.y, spec.y.scale)}${ends}`;
            },
          },
        },
        ...(spec.zoom && { zoom: { zoom: { ...zoom, onZoom: ({ chart }) => offerReset(chart) }, pan: { enabled: true, onPan: ({ chart }) => offerReset(chart) } } }),
      },
    },
  };
}

const resetOf = (canvas) => document.querySelector(`[data-chart-reset="${canvas.dataset.chart}"]`);

function offerReset(chart) {
  const button = resetOf(chart.canvas);
  if (button) button.hidden = false;
}

async function draw(canvas) {
  const spec = JSON.parse(document.getElementById(canvas.dataset.chart).textContent);
  if (spec.zoom) {
    await import("./vendor/hammer.js");
    await import("./vendor/chartjs-plugin-zoom.js");
  }
  if (!canvas.isConnected) return;
  drawn.get(canvas)?.destroy();
  Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
  const chart = new Chart(canvas, config(spec));
  drawn.set(canvas, chart);
  const button = resetOf(canvas);
  if (button) {
    button.onclick = () => {
      chart.resetZoom();
      button.hidden = true;
    };
  }
}

export function drawAll(within = document) {
  for (const [canvas, chart] of drawn) {
    if (canvas.isConnected) continue;
    chart.destroy();
    drawn.delete(canvas);
  }
  for (const canvas of within.querySelectorAll("canvas[data-chart]")) if (!drawn.has(canvas)) draw(canvas);
}

// The other theme has other colours.
new MutationObserver(() => [...drawn.keys()].forEach(draw)).observe(document.documentElement, {
  attributes: true,
  attributeFilter: ["class"],
});
