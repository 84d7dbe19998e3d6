// Draws one's own work by day from the JSON in the page.
"use strict";
(() => {
  const canvas = document.getElementById("work");
  if (!canvas) return;
  const data = JSON.parse(document.getElementById("work-data").textContent);
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  Object.assign(Chart.defaults, { color: colour("--muted"), borderColor: colour("--line"), maintainAspectRatio: false, animation: false });
  Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
  const accepted = { borderColor: colour("--good"), backgroundColor: colour("--good"), spanGaps: true };
  new Chart(canvas, {
    data: {
      labels: data.days,
      datasets: [
        { type: "line", label: canvas.dataset.acceptance, data: data.acceptance, yAxisID: "percent", ...accepted },
        { type: "bar", label: canvas.dataset.ticks, data: data.ticks, yAxisID: "count", backgroundColor: colour("--accent"), maxBarThickness: 36 },
      ],
    },
    options: {
      scales: {
        count: { beginAtZero: true, ticks: { precision: 0 } },
        percent: { min: 0, max: 100, position: "right", grid: { drawOnChartArea: false } },
      },
    },
  });
})();
