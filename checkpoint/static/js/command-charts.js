// Charts of command: each is drawn from the table beside it, so that the two cannot differ. The library is loaded by this module alone.
// Everything is canvas, tooltips too: the content policy lets no markup bring styles of its own.

const MOST_SERIES = 8;
const drawn = new WeakMap(); // the place of a chart → the chart
let echarts;

/** Load the library; a chart can be drawn after that. */
export async function ready() {
  await import("../vendor/echarts.js");
  echarts = globalThis.echarts;
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  new MutationObserver(redraw).observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
  new ResizeObserver(() => each(document, (place) => drawn.get(place)?.resize())).observe(document.body);
}

/** Put the charts of the old figures where the new ones have theirs. */
export function carry(before, fresh) {
  for (const figure of fresh.querySelectorAll("[data-chart]")) {
    const old = before.querySelector(`[data-chart="${figure.dataset.chart}"] .chart-canvas`);
    if (old && drawn.has(old)) figure.querySelector(".chart-canvas").replaceWith(old);
  }
}

/** Draw every chart below an element anew from its table. */
export function draw(root) {
  const look = colours();
  each(root, (place, figure) => {
    let chart = drawn.get(place);
    if (!chart) {
      place.hidden = false;
      chart = echarts.init(place, null, { renderer: "canvas" });
      drawn.set(place, chart);
      const table = figure.querySelector("details");
      if (table) table.open = false;
    }
    chart.setOption(option(figure, look), { notMerge: true });
    chart.resize();
  });
}

function redraw() {
  draw(document);
}

function each(root, act) {
  for (const figure of root.querySelectorAll("[data-chart]")) act(figure.querySelector(".chart-canvas"), figure);
}

function colours() {
  const style = getComputedStyle(document.documentElement);
  const of = (name) => style.getPropertyValue(`--${name}`).trim();
  const names = ["text", "muted", "line", "surface", "accent", "red", "yellow", "green"];
  return { ...Object.fromEntries(names.map((name) => [name, of(name)])), font: getComputedStyle(document.body).fontFamily };
}

function value(cell) {
  const raw = cell.dataset.value ?? cell.textContent;
  return raw === "" ? null : Number(raw);
}

/** What a table says: categories, and series of numbers (null where nothing was measured). */
export function read(figure) {
  const table = figure.querySelector("table");
  const heads = [...table.tHead.rows[0].cells];
  const kept = heads.map((head, index) => index > 0 && !("skip" in head.dataset));
  const columns = heads.filter((_head, index) => kept[index]);
  const rows = [...table.tBodies[0].rows].map((row) => ({
    name: (row.cells[0].querySelector("[data-name]") ?? row.cells[0]).textContent.trim(),
    values: [...row.cells].filter((_cell, index) => kept[index]).map(value),
  }));
  if (figure.dataset.series === "rows") {
    const series = rows.map(({ name, values }) => ({ name, values })).filter(({ values }) => values.some(Boolean));
    return { categories: columns.map((head) => head.textContent.trim()), series: few(series, figure.dataset.others) };
  }
  return {
    categories: rows.map(({ name }) => name),
    series: columns.map((head, index) => ({
      name: head.textContent.trim(),
      tone: head.dataset.tone,
      values: rows.map(({ values }) => values[index]),
    })),
  };
}

/** The largest series by themselves, all others as one: nobody tells thirty colours apart. */
function few(series, others) {
  if (series.length <= MOST_SERIES) return series;
  const total = ({ values }) => values.reduce((sum, number) => sum + number, 0);
  const sorted = [...series].sort((one, other) => total(other) - total(one));
  const rest = sorted.slice(MOST_SERIES - 1);
  const values = rest[0].values.map((_value, hour) => rest.reduce((sum, one) => sum + one.values[hour], 0));
  return [...sorted.slice(0, MOST_SERIES - 1), { name: others, values }];
}

/** Colours that differ in lightness as well as hue, by the theme. */
function palette(look) {
  return [look.accent, "#d98324", "#5b8c5a", "#9a6fb0", "#c4515c", "#3aa6a0", "#8a8f3c", look.muted];
}

function option(figure, look) {
  const { categories, series } = read(figure);
  const { shape, unit = "", most } = figure.dataset;
  const isFlat = "flat" in figure.dataset;
  const isStacked = "stacked" in figure.dataset;
  const scale = Number.parseFloat(getComputedStyle(figure).fontSize) / 16;
  const text = { color: look.text, fontFamily: look.font, fontSize: 12 * scale };
  const quiet = { ...text, color: look.muted };
  const category = {
    type: "category",
    data: categories,
    inverse: isFlat,
    axisLabel: { ...quiet, ...(isFlat ? {} : { hideOverlap: true }) },
    axisLine: { lineStyle: { color: look.line } },
    axisTick: { show: false },
  };
  const amount = {
    type: "value",
    max: most ? Number(most) : undefined,
    minInterval: unit ? 0 : 1,
    axisLabel: { ...quiet, formatter: (number) => (unit ? `${number} ${unit}` : String(number)) },
    splitLine: { lineStyle: { color: look.line } },
  };
  return {
    animationDuration: 300,
    color: palette(look),
    textStyle: text,
    legend: { type: "scroll", top: 0, left: 0, textStyle: text, itemWidth: 14, itemHeight: 10, pageTextStyle: text, pageIconColor: look.accent },
    grid: { top: series.length > 1 ? 36 * scale : 16, left: 8, right: 16, bottom: 4, containLabel: true },
    tooltip: {
      trigger: "axis",
      renderMode: "richText",
      axisPointer: { type: shape === "line" ? "line" : "shadow" },
      backgroundColor: look.surface,
      borderColor: look.line,
      textStyle: text,
      valueFormatter: (number) => (number === null || number === undefined ? "–" : `${number}${unit ? ` ${unit}` : ""}`),
    },
    xAxis: isFlat ? amount : category,
    yAxis: isFlat ? category : amount,
    series: series.map(({ name, tone, values }) => ({
      name,
      type: shape,
      data: values,
      stack: isStacked ? "all" : undefined,
      barMaxWidth: 36 * scale,
      connectNulls: true,
      showSymbol: true,
      symbolSize: 6 * scale,
      lineStyle: { width: 2.5 * scale },
      ...(tone ? { itemStyle: { color: look[tone] } } : {}),
    })),
  };
}
