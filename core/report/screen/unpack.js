const byId = (id) => document.getElementById(id);
const charts = JSON.parse(byId("chart-data").textContent);
// Named one by one: Plotly's own set has a button that sends the data to its makers.
const buttons = [["toImage", "zoom2d", "pan2d", "resetScale2d"]];
// On a narrow screen the buttons would lie over the legend.
const narrow = matchMedia("(max-width: 40rem)").matches;
const config = { responsive: true, displaylogo: false, displayModeBar: narrow ? false : "hover", modeBarButtons: buttons, showSendToCloud: false, plotlyServerURL: "" };

// Plotly takes <b> and the like in texts for its own.
const inWords = (text) => String(text).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");

async function unpack() {
  if (typeof DecompressionStream === "undefined") {
    throw new Error("Plate maps and the table of images need a browser of 2023 or later.");
  }
  const bytes = Uint8Array.from(atob(byId("packed").textContent), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(stream).text());
}

unpack().then((data) => {
  if (data.maps.length) startMaps(data);
  startTable(data.table);
  document.body.dataset.ready = "yes";
}).catch((error) => {
  for (const id of ["map-told", "table-told"]) if (byId(id)) byId(id).textContent = error.message;
});
