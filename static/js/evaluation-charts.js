// Draws each canvas of the statistics from the JSON in the page: at first, after htmx has put more into it, and anew
// when the colours change.
"use strict";
(() => {
  const charts = new Map();
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
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
  const percents = (title) => ({ type: "linear", min: 0, max: 100, title: { display: true, text: title } });
  const points = (label, data, extra) => ({ label, data, borderColor: colour("--accent"), backgroundColor: colour("--accent"), ...extra });

  const kinds = {
    groups: (canvas, data, words) => ({
      type: "bar",
      data: {
        labels: data.labels.map((name) => short(name, canvas)),
        datasets: [
          { label: words.right, data: data.right, backgroundColor: colour("--good"), stack: "all" },
          { label: words.wrong, data: data.wrong, backgroundColor: colour("--bad"), stack: "all" },
        ],
      },
      options: {
        indexAxis: data.labels.length > 6 ? "y" : "x",
        scales: { x: { stacked: true, ticks: { precision: 0 } }, y: { stacked: true, ticks: { precision: 0, autoSkip: false } } },
      },
    }),
    days: (canvas, data, words) => {
      const edge = { type: "line", yAxisID: "percent", borderColor: colour("--accent"), borderWidth: 1, borderDash: [3, 3], pointRadius: 0, spanGaps: true };
      return {
        data: {
          labels: data.labels,
          datasets: [
            { type: "line", label: words.accuracy, data: data.accuracy, yAxisID: "percent", borderColor: colour("--accent"), backgroundColor: colour("--accent"), pointRadius: data.labels.length > 60 ? 0 : 3, spanGaps: true },
            { ...edge, label: words.low, data: data.low },
            { ...edge, label: words.high, data: data.high },
            { type: "bar", label: words.judged, data: data.judged, yAxisID: "count", backgroundColor: colour("--line"), maxBarThickness: 48 },
          ],
        },
        options: {
          scales: {
            percent: { min: 0, max: 100, position: "left" },
            count: { beginAtZero: true, position: "right", grid: { drawOnChartArea: false }, ticks: { precision: 0 } },
          },
        },
      };
    },
    reliability: (canvas, data, words) => ({
      type: "line",
      data: {
        datasets: [
          points(words.answers, data, { pointRadius: 3 }),
          { label: words.ideal, data: [{ x: 0, y: 0 }, { x: 100, y: 100 }], borderColor: colour("--muted"), backgroundColor: colour("--muted"), borderDash: [4, 4], pointRadius: 0 },
        ],
      },
      options: { scales: { x: percents(words.confidence), y: percents(words.accuracy) } },
    }),
    precision: (canvas, data, words) => ({
      type: "line",
      data: { datasets: [points(words.precision, data, { pointRadius: 2 })] },
      options: {
        plugins: { tooltip: { callbacks: { label: ({ raw }) => `${words.threshold} ${raw.threshold} %: ${words.coverage} ${raw.x}, ${words.precision} ${raw.y}` } } },
        scales: { x: percents(words.coverage), y: { ...percents(words.precision), min: undefined } },
      },
    }),
  };

  const draw = () => {
    charts.forEach((chart, canvas) => {
      if (canvas.isConnected) return;
      chart.destroy();
      charts.delete(canvas);
    });
    const words = document.getElementById("chart-words");
    if (!words) return;
    for (const canvas of document.querySelectorAll("canvas[data-chart]")) {
      const data = document.getElementById(canvas.dataset.from);
      if (data && !charts.has(canvas)) charts.set(canvas, new Chart(canvas, kinds[canvas.dataset.chart](canvas, JSON.parse(data.textContent), words.dataset)));
    }
  };

  document.addEventListener("DOMContentLoaded", () => {
    style();
    draw();
    document.addEventListener("htmx:afterSettle", draw);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
      style();
      charts.forEach((chart) => chart.destroy());
      charts.clear();
      draw();
    });
  });
})();
