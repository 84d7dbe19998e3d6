// Draws the curves of trainings from the JSON in the page, and again whenever newer JSON has come.
"use strict";
(() => {
  const DASHES = [[], [8, 4], [2, 3], [10, 3, 2, 3], [4, 4], [14, 4], [2, 6], [8, 3, 2, 3, 2, 3]];
  const COLOURS = 6;
  const charts = new Map();
  const variable = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  // Of every line the point nearest to the pointer: trainings have points at different steps.
  const registerMode = () => {
    Chart.Interaction.modes.nearestOfEach = (chart, event) => {
      const step = chart.scales.x.getValueForPixel(event.x);
      return chart.getSortedVisibleDatasetMetas().flatMap((meta) => {
        let best = -1;
        meta._parsed.forEach((point, index) => {
          if (best < 0 || Math.abs(point.x - step) < Math.abs(meta._parsed[best].x - step)) best = index;
        });
        return best < 0 ? [] : [{ element: meta.data[best], datasetIndex: meta.index, index: best }];
      });
    };
  };

  const dataset = (line, percent) => {
    const colour = variable(`--line-${line.colour % COLOURS}`);
    return {
      label: line.label,
      data: line.points.map(([x, y]) => ({ x, y: percent ? 100 * y : y })),
      borderColor: colour,
      backgroundColor: colour,
      borderDash: DASHES[line.dash % DASHES.length],
      borderWidth: 2,
      pointRadius: line.points.length < 25 ? 2.5 : 0,
      pointHoverRadius: 4,
    };
  };

  // As Chart.js names them, but with the dashes of their lines, which it would leave out.
  const legend = (chart) =>
    Chart.defaults.plugins.legend.labels.generateLabels(chart).map((label) => {
      const { borderDash, borderColor } = chart.data.datasets[label.datasetIndex];
      return { ...label, lineDash: borderDash, strokeStyle: borderColor, lineWidth: 2 };
    });

  const options = (percent) => ({
    animation: false,
    maintainAspectRatio: false,
    interaction: { mode: "nearestOfEach", intersect: false },
    plugins: {
      legend: { position: "bottom", labels: { generateLabels: legend, usePointStyle: true, pointStyle: "line", pointStyleWidth: 44, color: variable("--text") } },
      tooltip: {
        callbacks: {
          title: (items) => (items.length ? `${document.getElementById("training-words").dataset.step} ${items[0].parsed.x}` : ""),
          label: ({ dataset: { label }, parsed: { x, y } }) => `${label}: ${percent ? `${y.toFixed(1)} %` : y.toPrecision(4)} (${x})`,
        },
      },
    },
    scales: {
      x: { type: "linear", min: 0, title: { display: true, text: document.getElementById("training-words").dataset.step } },
      y: percent ? { min: 0, max: 100, ticks: { callback: (value) => `${value} %` } } : { beginAtZero: true },
    },
  });

  const draw = () => {
    const element = document.getElementById("training-data");
    if (!element) return;
    for (const [id, { percent, lines }] of Object.entries(JSON.parse(element.textContent))) {
      const panel = document.querySelector(`[data-chart="${id}"]`);
      panel.hidden = !lines.length;
      if (!lines.length) continue;
      const datasets = lines.map((line) => dataset(line, percent));
      const chart = charts.get(id);
      if (!chart) {
        charts.set(id, new Chart(panel.querySelector("canvas"), { type: "line", data: { datasets }, options: options(percent) }));
        continue;
      }
      datasets.forEach((fresh, index) => { // what somebody has hidden in the legend stays hidden
        if (chart.data.datasets[index]) Object.assign(chart.data.datasets[index], fresh);
        else chart.data.datasets.push(fresh);
      });
      chart.update("none");
    }
  };

  const style = () => {
    Chart.defaults.color = variable("--muted");
    Chart.defaults.borderColor = variable("--line");
    Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
  };

  document.addEventListener("DOMContentLoaded", () => {
    registerMode();
    style();
    draw();
    const log = document.getElementById("log");
    if (log) log.scrollTop = log.scrollHeight;
    document.addEventListener("htmx:afterSettle", draw);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
      style();
      charts.forEach((chart) => chart.destroy());
      charts.clear();
      draw();
    });
  });
})();
