// From this width of a well on, its number is written into it.
const NUMBER_PX = 20;
const letters = (row) => (row < 26 ? "" : String.fromCharCode(64 + Math.floor(row / 26))) + String.fromCharCode(65 + (row % 26));
const wellName = (row, column) => letters(row) + String(column + 1).padStart(2, "0");

function startMaps(data) {
  const plate = byId("map-plate"), channel = byId("map-channel"), statistic = byId("map-statistic");
  const plates = [...new Set(data.maps.map((map) => map.plate))];
  const bad = (name) => data.maps.filter((map) => map.plate === name).flatMap((map) => map.level_worst)
    .filter((level) => level > data.out_of_focus).length;
  plates.forEach((name, place) => plate.add(new Option(name || "no name", place)));
  plate.value = String(plates.reduce((worst, name, place) => (bad(name) > bad(plates[worst]) ? place : worst), 0));
  const chosen = () => data.maps.filter((map) => map.plate === plates[plate.value]);
  const draw = () => {
    const map = chosen().find((found) => found.channel === channel.value) || chosen()[0];
    drawMap("map-level", map, "level_" + statistic.value, data.level_scale, [0, 10], data.out_of_focus);
    drawMap("map-second", map, "second_" + statistic.value, data.second_scale, [0, 1], null);
    byId("map-told").textContent = mapText(map, data.out_of_focus);
    byId("map-previous").disabled = plate.selectedIndex === 0;
    byId("map-next").disabled = plate.selectedIndex === plates.length - 1;
  };
  drawMaps = draw;
  const choosePlate = () => {
    const before = channel.value;
    channel.replaceChildren(...chosen().map((map) => new Option(map.channel || "no name", map.channel)));
    if (chosen().some((map) => map.channel === before)) channel.value = before;
    draw();
  };
  const step = (by) => { plate.selectedIndex += by; choosePlate(); };
  byId("map-controls").hidden = false;
  byId("map-channel-label").hidden = new Set(data.maps.map((map) => map.channel)).size < 2;
  byId("map-previous").hidden = byId("map-next").hidden = plates.length < 2;
  byId("map-controls").addEventListener("submit", (event) => event.preventDefault());
  plate.addEventListener("change", choosePlate);
  for (const control of [channel, statistic]) control.addEventListener("change", draw);
  byId("map-previous").addEventListener("click", () => step(-1));
  byId("map-next").addEventListener("click", () => step(1));
  choosePlate();
  let width = innerWidth, waiting;
  addEventListener("resize", () => {
    if (innerWidth === width) return;
    width = innerWidth;
    clearTimeout(waiting);
    waiting = setTimeout(draw, 200);
  });
}

function mapText(map, outOfFocus) {
  const wells = map.row.map((row, place) => ({ name: wellName(row, map.column[place]), level: map.level_worst[place] }));
  const bad = wells.filter((well) => well.level > outOfFocus).sort((a, b) => b.level - a.level);
  const silent = wells.filter((well) => well.level === null).length;
  const named = bad.slice(0, 8).map((well) => `${well.name} (${well.level.toFixed(1)})`).join(", ");
  const place = [map.plate, map.channel].filter(Boolean).join(", ");
  return `${place ? place + ": " : ""}${wells.length} well${wells.length === 1 ? "" : "s"}; ${bad.length} with an image above level ${outOfFocus}` +
    `${named ? ": " + named : ""}${bad.length > 8 ? ", ..." : ""}; ${silent} without an answer.`;
}

function drawMap(id, map, measure, scale, range, outOfFocus) {
  const [rows, columns] = map.shape;
  const grid = () => Array.from({ length: rows }, () => new Array(columns).fill(null));
  const values = grid(), told = grid(), crosses = [], dots = [];
  map.row.forEach((row, place) => {
    const column = map.column[place], value = map[measure][place];
    values[row][column] = value;
    told[row][column] = wellText(map, place);
    if (value === null) crosses.push([row, column, told[row][column]]);
    else if (outOfFocus !== null && value > outOfFocus) dots.push([row, column]);
  });
  const plot = byId(id), margin = { l: 34, r: 8, t: 24, b: 62 };
  const well = Math.min(46, ((printing ? HALF_PAGE_PX : plot.clientWidth) - margin.l - margin.r) / columns);
  const width = well * columns + margin.l + margin.r;
  const numbers = well >= NUMBER_PX;
  const heat = {
    type: "heatmap", z: values, customdata: told, colorscale: scale, zmin: range[0], zmax: range[1], xgap: 1, ygap: 1,
    hoverongaps: false, hovertemplate: "%{customdata}<extra></extra>",
    texttemplate: numbers ? (range[1] > 1 || well < 30 ? "%{z:.1f}" : "%{z:.2f}") : "", textfont: { size: Math.min(13, well * 0.42) },
    colorbar: { orientation: "h", thickness: 12, y: 0, yanchor: "top", ypad: 8, len: 1, outlinewidth: 0.5 },
  };
  const marks = (found, symbol) => ({
    type: "scatter", mode: "markers", x: found.map((at) => at[1]), y: found.map((at) => at[0]), showlegend: false,
    text: found.map((at) => at[2]), hovertemplate: "%{text}<extra></extra>",
    marker: { symbol, size: Math.max(4, well * 0.4), color: symbol === "circle" ? "#fff" : "#222", line: { color: "#222", width: 1.2 } },
    ...(symbol === "circle" ? { hoverinfo: "skip", hovertemplate: null } : {}),
  });
  const every = Math.ceil(16 / well), labels = (count, name) => {
    const places = [...Array(count).keys()].filter((place) => place % every === 0);
    return { tickvals: places, ticktext: places.map(name) };
  };
  const axis = { showgrid: false, zeroline: false, showline: true, mirror: true, linecolor: "#999", ticks: "", fixedrange: true };
  const layout = {
    width, height: well * rows + margin.t + margin.b, margin, dragmode: false, font: { size: 11, color: "#222" },
    plot_bgcolor: "#dcdcdc", hoverlabel: { bgcolor: "#fff", font: { color: "#222" }, align: "left" },
    xaxis: { ...axis, side: "top", range: [-0.5, columns - 0.5], ...labels(columns, (place) => String(place + 1)) },
    yaxis: { ...axis, range: [rows - 0.5, -0.5], ...labels(rows, letters) },
  };
  const empty = emptyWells(values, told);
  const traces = [empty, heat, marks(crosses, "x-thin"), ...(numbers ? [] : [marks(dots, "circle")])];
  Plotly.react(plot, traces, layout, { ...config, responsive: false, displayModeBar: false });
  plot.setAttribute("aria-label", `${id === "map-level" ? "Defocus level" : "Certainty or probability"} by well. ${byId("map-told").textContent}`);
  if (!plot.dataset.listens) {
    plot.dataset.listens = "yes";
    plot.on("plotly_click", (event) => showWell(plot.map, event.points[0].y, event.points[0].x));
  }
  plot.map = map;
}

// Squares of wells without an image, so that the plate shows as a whole, and grey ones below the crosses.
function emptyWells(values, told) {
  const shade = values.map((line, row) => line.map((value, column) => (value !== null ? null : told[row][column] ? 1 : 0)));
  return {
    type: "heatmap", z: shade, zmin: 0, zmax: 1, colorscale: [[0, "#fff"], [1, "#c4c4c4"]], showscale: false,
    xgap: 1, ygap: 1, hoverinfo: "skip", hoverongaps: false,
  };
}

function wellText(map, place) {
  const number = (value) => (value === null ? "none" : value.toFixed(2));
  const lines = [
    `${inWords(wellName(map.row[place], map.column[place]))}: ${map.n[place]} image${map.n[place] === 1 ? "" : "s"}`,
    `level: mean ${number(map.level_mean[place])}, worst ${number(map.level_worst[place])}`,
    `${map.second}: mean ${number(map.second_mean[place])}, worst ${number(map.second_worst[place])}`,
  ];
  if (map.flagged[place]) lines.push(`flagged: ${map.flagged[place]}`);
  if (map.silent[place]) lines.push(`without an answer: ${map.silent[place]}`);
  return lines.join("<br>");
}

function showWell(map, row, column) {
  byId("filter-text").value = wellName(row, column);
  const plate = byId("filter-plate");
  if ([...plate.options].some((option) => option.value === map.plate)) plate.value = map.plate;
  byId("table-controls").dispatchEvent(new Event("input"));
  byId("images").scrollIntoView();
}
