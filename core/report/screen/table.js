const PAGE_ROWS = 50;

function startTable(table) {
  const columns = table.columns.map(readable), visible = columns.filter((column) => !column.same && !column.under);
  for (const column of visible) column.below = columns.find((other) => other.under === column.name);
  const byName = Object.fromEntries(columns.map((column) => [column.name, column]));
  const state = { order: [...Array(table.n).keys()], shown: [], page: 0, column: null, down: false };
  const searched = columns.filter((column) => column.isText);
  const seen = (column, row) => (column.names ? column.text(row) : column.short(row));
  const haystack = Array.from({ length: table.n }, (_, row) => searched.map((column) => seen(column, row)).join("\n").toLowerCase());
  const selects = ["plate", "outcome", "status"].filter((name) => byName[name]);
  for (const name of selects) fillSelect(byId("filter-" + name), byName[name]);
  for (const name of ["plate", "status"]) byId(`filter-${name}-label`).hidden = !byName[name] || byName[name].same;

  const frame = byId("table-frame");
  const hint = () => { byId("table-hint").hidden = frame.scrollWidth <= frame.clientWidth + 1; };
  const show = () => { showPage(visible, state, table.n); hint(); };
  new ResizeObserver(hint).observe(frame);
  const filter = () => {
    const words = byId("filter-text").value.toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = selects.map((name) => [byName[name], byId("filter-" + name).value]).filter(([, value]) => value !== "*");
    state.shown = state.order.filter((row) => wanted.every(([column, value]) => column.text(row) === value) &&
      words.every((word) => haystack[row].includes(word)));
    state.page = 0;
    show();
  };
  const sort = (column) => {
    state.down = state.column === column ? !state.down : !column.isText;
    state.column = column;
    state.order.sort((a, b) => column.compare(a, b, state.down) || a - b);
    for (const one of visible) one.head.setAttribute("aria-sort", one !== column ? "none" : state.down ? "descending" : "ascending");
    filter();
  };
  const turn = (page) => { state.page = page; show(); };
  drawHead(visible, sort);
  const controls = byId("table-controls");
  controls.hidden = byId("table-pages").hidden = false;
  let waiting;
  controls.addEventListener("submit", (event) => event.preventDefault());
  controls.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(filter, 120); });
  controls.addEventListener("reset", () => setTimeout(filter));
  byId("page-first").addEventListener("click", () => turn(0));
  byId("page-previous").addEventListener("click", () => turn(state.page - 1));
  byId("page-next").addEventListener("click", () => turn(state.page + 1));
  byId("page-last").addEventListener("click", () => turn(Math.ceil(state.shown.length / PAGE_ROWS) - 1));
  byId("save-rows").addEventListener("click", () => saveRows(columns, state.shown));
  sort(byName.defocus_level || columns[0]);
}

// A column as texts of rows (`short` as they are shown, `text` as they are saved), and how to compare two rows.
function readable(column) {
  const collator = new Intl.Collator(undefined, { numeric: true });
  if (column.numbers) {
    const numbers = column.numbers;
    const compare = (a, b, down) => {
      if (numbers[a] === null || numbers[b] === null) return (numbers[a] === null) - (numbers[b] === null);
      return down ? numbers[b] - numbers[a] : numbers[a] - numbers[b];
    };
    return { ...column, compare, isText: false, text: (row) => (numbers[row] === null ? "" : numbers[row].toFixed(column.digits)) };
  }
  const folder = (row) => column.words[column.codes[row]];
  const full = (row) => (folder(row) ? folder(row) + "/" : "") + column.names[row];
  const text = column.names ? full : folder;
  let rank;
  const ranks = () => {
    const order = column.names ? column.names.map((_, row) => row) : column.words.map((_, place) => place);
    const name = column.names || column.words;
    order.sort((a, b) => collator.compare(name[a], name[b]));
    const found = new Uint32Array(order.length);
    order.forEach((row, place) => { found[row] = place; });
    return column.names ? (row) => found[row] : (row) => found[column.codes[row]];
  };
  const compare = (a, b, down) => { rank ??= ranks(); return down ? rank(b) - rank(a) : rank(a) - rank(b); };
  const shown = (row) => column.shown[column.codes[row]];
  // What tells files of one name apart stands below the name.
  return { ...column, compare, isText: true, text, end: shown, short: column.names ? (row) => column.names[row] : shown };
}

function fillSelect(select, column) {
  const counts = new Map();
  for (const code of column.codes) counts.set(code, (counts.get(code) || 0) + 1);
  const all = new Option("all", "*", true, true);
  select.replaceChildren(all, ...column.words.map((word, code) => new Option(`${column.shown[code] || "none"} (${counts.get(code)})`, word)));
}

function drawHead(columns, sort) {
  const row = document.createElement("tr");
  for (const column of columns) {
    const head = document.createElement("th"), button = document.createElement("button");
    head.scope = "col";
    head.className = column.isText ? "" : "number";
    button.type = "button";
    button.textContent = column.title;
    button.addEventListener("click", () => sort(column));
    head.append(button);
    column.head = head;
    column.button = button;
    row.append(head);
  }
  byId("table").tHead.replaceChildren(row);
}

function showPage(columns, state, total) {
  const pages = Math.max(1, Math.ceil(state.shown.length / PAGE_ROWS)), first = state.page * PAGE_ROWS;
  const rows = state.shown.slice(first, first + PAGE_ROWS).map((row) => {
    const line = document.createElement("tr");
    for (const column of columns) {
      const cell = document.createElement("td");
      cell.className = column.isText ? "" : "number";
      cell.textContent = (column.short || column.text)(row);
      if (column.names) cell.title = column.text(row);
      const more = column.names ? column.end(row) && column.end(row) + "/" : column.below?.text(row);
      if (more) cell.append(small(more));
      line.append(cell);
    }
    return line;
  });
  byId("table").tBodies[0].replaceChildren(...rows);
  for (const column of columns) {
    const arrow = column !== state.column ? "" : state.down ? "\u00a0\u25bc" : "\u00a0\u25b2";
    column.button.textContent = column.title + arrow;
  }
  byId("table-told").textContent = `${state.shown.length.toLocaleString("en")} of ${total.toLocaleString("en")} image${total === 1 ? "" : "s"}`;
  byId("page-told").textContent = `Page ${(state.page + 1).toLocaleString("en")} of ${pages.toLocaleString("en")}`;
  byId("page-first").disabled = byId("page-previous").disabled = state.page === 0;
  byId("page-last").disabled = byId("page-next").disabled = state.page >= pages - 1;
}

// A line below the words of a cell; what is cut off there shows where the mouse rests.
const LONGEST = 110;
function small(text) {
  const line = document.createElement("small");
  line.textContent = text.length > LONGEST ? text.slice(0, LONGEST - 3) + "..." : text;
  if (text.length > LONGEST) line.title = text;
  return line;
}

function saveRows(columns, rows) {
  const quoted = (text) => `"${text.replaceAll('"', '""')}"`;
  const lines = [columns.map((column) => quoted(column.name)), ...rows.map((row) => columns.map((column) => quoted(column.text(row))))];
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([lines.map((line) => line.join(",")).join("\r\n") + "\r\n"], { type: "text/csv" }));
  link.download = "images.csv";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}
