const byId = (id) => document.getElementById(id);
const charts = JSON.parse(byId("chart-data").textContent);
const config = { responsive: true, displaylogo: false, modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"] };

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
