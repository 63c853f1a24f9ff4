for (const [name, chart] of Object.entries(charts)) Plotly.newPlot("chart-" + name, chart.data, chart.layout, config);

// Paper is narrower than a screen, and charts have a width of their own.
const HALF_PAGE_PX = 335;
const plots = () => Object.keys(charts).map((name) => byId("chart-" + name));
let printing = false, drawMaps = () => {};
addEventListener("beforeprint", () => {
  printing = true;
  drawMaps();
  for (const plot of plots()) Plotly.relayout(plot, { width: plot.id === "chart-drift" ? 2 * HALF_PAGE_PX : HALF_PAGE_PX });
});
addEventListener("afterprint", () => {
  printing = false;
  drawMaps();
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
