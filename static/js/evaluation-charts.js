// Draws the statistics from the JSON in the page.
"use strict";
(() => {
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const json = (id) => {
    const element = document.getElementById(id);
    return element ? JSON.parse(element.textContent) : null;
  };
  // As long as half of the chart has room for: Chart.js cuts a longer name at its beginning.
  const short = (text, canvas) => {
    const most = Math.min(28, Math.floor(canvas.clientWidth / 16));
    return text.length > most ? `${text.slice(0, most - 1)}…` : text;
  };
  const style = () => {
    Chart.defaults.color = colour("--muted");
    Chart.defaults.borderColor = colour("--line");
    Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
    Chart.defaults.maintainAspectRatio = false;
    Chart.defaults.animation = false;
  };

  const drawProducts = (canvas, data, words) =>
    new Chart(canvas, {
      type: "bar",
      data: {
        labels: data.products.map((name) => short(name, canvas)),
        datasets: [
          { label: words.right, data: data.right, backgroundColor: colour("--good"), stack: "all" },
          { label: words.wrong, data: data.wrong, backgroundColor: colour("--bad"), stack: "all" },
        ],
      },
      options: {
        indexAxis: data.products.length > 6 ? "y" : "x",
        scales: { x: { stacked: true, ticks: { precision: 0 } }, y: { stacked: true, ticks: { precision: 0, autoSkip: false } } },
      },
    });

  const drawDays = (canvas, data, words) =>
    new Chart(canvas, {
      data: {
        labels: data.days,
        datasets: [
          { type: "line", label: words.accuracy, data: data.accuracy, yAxisID: "percent", borderColor: colour("--accent"), backgroundColor: colour("--accent"), spanGaps: true },
          { type: "bar", label: words.judged, data: data.judged, yAxisID: "count", backgroundColor: colour("--line"), maxBarThickness: 48 },
        ],
      },
      options: {
        scales: {
          percent: { min: 0, max: 100, position: "left" },
          count: { beginAtZero: true, position: "right", grid: { drawOnChartArea: false }, ticks: { precision: 0 } },
        },
      },
    });

  document.addEventListener("DOMContentLoaded", () => {
    style();
    const data = json("chart-data");
    if (data) {
      const words = document.getElementById("chart-words").dataset;
      if (data.products.length > 6) document.getElementById("by-product").parentElement.classList.add("tall");
      drawProducts(document.getElementById("by-product"), data, words);
      drawDays(document.getElementById("by-day"), data, words);
    }
  });
})();
