// Draws the charts of crawl health from the JSON in the page, again whenever htmx has brought newer figures.
"use strict";
(() => {
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const data = () => JSON.parse(document.getElementById("chart-data").textContent);
  const charts = {};

  // name: its colour, of what is drawn in each chart
  const outcomes = { done: "--good", failed: "--bad", cancelled: "--warn", unfinished: "--body-quiet-color" };
  const durations = { p50: "--good", p95: "--chart-accent", p99: "--bad" };

  const draw = (id, type, { labels, values, colours, words, options, more }) => {
    const datasets = Object.entries(colours).map(([name, variable]) => ({
      label: words[name] || name,
      data: values[name],
      backgroundColor: colour(variable),
      borderColor: colour(variable),
      ...more,
    }));
    if (!charts[id]) {
      charts[id] = new Chart(document.getElementById(id), { type, data: { labels, datasets }, options });
      return;
    }
    const chart = charts[id];
    chart.data.labels = labels;
    // What the reader has hidden in the legend stays hidden.
    chart.data.datasets.forEach((dataset, index) => Object.assign(dataset, datasets[index]));
    for (const scale of Object.values(chart.options.scales)) {
      scale.ticks.color = Chart.defaults.color;
      scale.grid.color = scale.border.color = Chart.defaults.borderColor;
      scale.title.color = Chart.defaults.color;
    }
    chart.options.plugins.legend.labels.color = Chart.defaults.color;
    chart.update();
  };

  const drawAll = () => {
    const figures = data();
    const words = document.getElementById("chart-words").dataset;
    Object.assign(Chart.defaults, {
      color: colour("--body-quiet-color"),
      borderColor: colour("--hairline-color"),
      maintainAspectRatio: false,
      animation: false,
    });
    Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
    const whole = { beginAtZero: true, ticks: { precision: 0 } };
    draw("outcomes-chart", "bar", {
      labels: figures.labels, values: figures.outcomes, colours: outcomes, words,
      options: { scales: { x: { stacked: true }, y: { ...whole, stacked: true } } },
      more: { stack: "all" },
    });
    draw("durations-chart", "line", {
      labels: figures.labels, values: figures.durations, colours: durations, words,
      options: { scales: { y: { beginAtZero: true, title: { display: true, text: words.seconds } } } },
      more: { borderWidth: 2, pointRadius: 2, spanGaps: true },
    });
  };

  document.addEventListener("DOMContentLoaded", () => {
    drawAll();
    const stale = document.getElementById("health-stale");
    document.addEventListener("htmx:afterSettle", () => {
      stale.hidden = true;
      drawAll();
    });
    for (const failure of ["htmx:sendError", "htmx:timeout", "htmx:responseError"]) {
      document.addEventListener(failure, () => { stale.hidden = false; });
    }
    new MutationObserver(drawAll).observe(document.documentElement, { attributeFilter: ["data-theme"] });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
  });
})();
