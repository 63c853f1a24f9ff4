for (const [name, chart] of Object.entries(charts)) Plotly.newPlot("chart-" + name, chart.data, chart.layout, config);

// Paper is narrower than a screen, and charts have a width of their own.
const plots = () => document.querySelectorAll(".js-plotly-plot");
window.addEventListener("beforeprint", () => {
  for (const plot of plots()) Plotly.relayout(plot, { width: plot.id === "chart-drift" ? 680 : 335 });
});
window.addEventListener("afterprint", () => {
  for (const plot of plots()) Plotly.relayout(plot, { width: null, autosize: true });
});

byId("copy-methods").addEventListener("click", async () => {
  const text = byId("methods-text");
  try {
    await navigator.clipboard.writeText(text.textContent);
    byId("copied").textContent = "Copied.";
  } catch {
    getSelection().selectAllChildren(text);
    byId("copied").textContent = document.execCommand("copy") ? "Copied." : "Selected: copy it with the keyboard.";
  }
});
