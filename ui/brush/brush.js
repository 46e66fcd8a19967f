// A picture to paint on, with a mouse, a finger or keys. What is painted is a mask on a grid of cells; the server
// hears of it when a stroke has ended, and on the way if it asks to.

const REST = 400; // ms after a stroke: several that follow each other are told at once
const LATE = 3000; // ms after which an answer isn't waited for any more
const KEPT = 32; // strokes that can be undone
const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const TOOLS = { brush: "Brush", rectangle: "Rectangle", erase: "Erase" };
const KEYS = "Arrow keys move, with Shift faster; Enter puts the brush down and lifts it; Escape and Backspace undo.";

const make = (tag, values = {}, ...children) => {
  const element = Object.assign(document.createElement(tag), values);
  element.append(...children);
  return element;
};

export default ({ data, parentElement, setTriggerValue }) => {
  const root = parentElement.querySelector(".brush") ?? parentElement.appendChild(build());
  const brush = root.brush;
  brush.tell = (said) => setTriggerValue("painted", said);
  const reset = !data.turn && brush.heard; // the server has forgotten it
  const { edges, look, live, locked, words } = data;
  Object.assign(brush, { edges, look, live, locked, heard: data.turn });
  if (words) brush.canvas.ariaLabel = words;
  if (data.size) root.style.maxWidth = `calc(70vh * ${data.size[0]} / ${data.size[1]})`;
  const [rows, columns] = data.grid, given = () => unpack(data.mask, rows * columns);
  if (brush.of !== data.of || reset) {
    clearTimeout(brush.timer);
    const { of, turn } = data;
    Object.assign(brush, { of, rows, columns, cells: given(), before: [], turn, timer: 0, last: null });
    brush.size.max = Math.round(Math.max(rows, columns) * 0.19);
    brush.size.value = Math.max(Math.round(Math.max(rows, columns) / 16), 1);
  } else if (!brush.last && !brush.timer && data.turn >= brush.turn && !same(brush.cells, data.mask)) {
    keep(brush); // by Back, say, or a button
    brush.cells = given();
  }
  take(brush, "image", data.picture);
  take(brush, "under", data.under);
  if (brush.last && brush.late) brush.moving();
  brush.draw();
};

/** A picture of its own file, or one that an element of the viewer's brought, as something that can be drawn. */
async function take(brush, name, source) {
  if (brush.sources[name] === source) return;
  brush.sources[name] = source;
  const found = source && (await (source.startsWith("data:") ? opened(source) : ofViewer(source)));
  if (brush.sources[name] !== source) return;
  brush[name] = found;
  brush.draw();
}

async function opened(source) {
  const image = Object.assign(new Image(), { src: source });
  await image.decode();
  return Object.assign(image, { wide: image.naturalWidth, high: image.naturalHeight });
}

async function ofViewer(id) {
  const wait = {}; // for the viewer's code, which comes once a session
  window.sightlines ??= Object.assign(new Promise((resolve) => (wait.arrive = resolve)), wait);
  const { width, height, colours } = await (await window.sightlines).thing(id);
  const canvas = make("canvas", { width, height });
  canvas.getContext("2d").putImageData(new ImageData(colours, width, height), 0, 0);
  return Object.assign(canvas, { wide: width, high: height });
}

const unpack = (text, count) => {
  const bytes = atob(text ?? "");
  return Uint8Array.from({ length: count }, (_, i) => (bytes.charCodeAt(i >> 3) >> (7 - (i & 7))) & 1);
};

const pack = (cells) => {
  const bytes = new Uint8Array(Math.ceil(cells.length / 8));
  cells.forEach((cell, i) => (bytes[i >> 3] |= cell << (7 - (i & 7))));
  return btoa(String.fromCharCode(...bytes));
};

const same = (cells, mask) => (mask ? pack(cells) === mask : !cells.some(Boolean));

function build() {
  const words = "The picture. Paint a region with a mouse, a finger or the keys.";
  const canvas = make("canvas", { tabIndex: 0, role: "application", ariaLabel: words, ariaDescription: KEYS, title: KEYS });
  const size = make("input", { type: "range", min: 1, max: 24, value: 8, ariaLabel: "Size of the brush" });
  const undo = make("button", { type: "button", textContent: "Undo" });
  const clear = make("button", { type: "button", textContent: "Clear" });
  const share = make("output", { ariaLive: "off" });
  const said = make("div", { className: "unseen", ariaLive: "polite" });
  const brush = { before: [], cells: [], turn: 0, heard: 0, tool: "brush", sources: {}, canvas, size, share, said };
  const tools = make("div", { className: "tools" }, choices(brush), undo, clear, make("label", {}, "Size", size), share);
  const root = make("div", { className: "brush" }, canvas, tools, said);
  root.brush = brush;
  brush.draw = () => {
    undo.disabled = brush.locked || !brush.before.length;
    clear.disabled = brush.locked || !brush.cells.some(Boolean);
    for (const one of tools.querySelectorAll("input, [role=radio]")) one.disabled = brush.locked;
    canvas.classList.toggle("locked", !!brush.locked);
    share.textContent = brush.look === "spot" ? "" : `${(100 * shareOf(brush)).toFixed(1)} % ${brush.look === "cover" ? "covered" : "marked"}`;
    if (brush.image && (brush.look !== "cover" || brush.under)) draw(brush);
  };
  told(brush);
  undo.onclick = brush.undo = () => {
    if (brush.locked || !brush.before.length) return;
    brush.cells = brush.before.pop();
    brush.lifted();
  };
  clear.onclick = () => {
    keep(brush);
    brush.cells = new Uint8Array(brush.cells.length);
    brush.lifted();
  };
  listen(canvas, brush);
  return root;
}

/** What a stroke does, as a group of radio buttons. */
function choices(brush) {
  const group = make("div", { className: "choices", role: "radiogroup", ariaLabel: "What a stroke does" });
  const buttons = Object.entries(TOOLS).map(([value, textContent]) => {
    const button = make("button", { type: "button", role: "radio", value, textContent });
    button.onclick = () => pick(value);
    return button;
  });
  const pick = (value) => {
    brush.tool = value;
    for (const one of buttons) {
      one.ariaChecked = String(one.value === value);
      one.tabIndex = one.value === value ? 0 : -1;
    }
  };
  group.onkeydown = (event) => {
    const step = STEPS[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    const at = buttons.findIndex((one) => one.value === brush.tool);
    const next = buttons[(at + step[0] + step[1] + buttons.length) % buttons.length];
    next.focus();
    pick(next.value);
  };
  group.append(...buttons);
  pick(brush.tool);
  return group;
}

/** How the server hears of it: one message at a time while a stroke goes on, the newest; its end in any case. */
function told(brush) {
  const send = (lifted) => {
    brush.late = false;
    brush.sent = performance.now();
    brush.tell({ of: brush.of, turn: ++brush.turn, mask: pack(brush.cells), lifted });
  };
  brush.moving = () => {
    brush.draw();
    if (!brush.live) return;
    brush.late = brush.heard < brush.turn && performance.now() - brush.sent < LATE; // until the last is answered
    if (!brush.late) send(false);
  };
  brush.lifted = () => {
    brush.draw();
    brush.said.textContent = `${(100 * shareOf(brush)).toFixed(1)} percent marked`;
    clearTimeout(brush.timer);
    const end = () => ((brush.timer = 0), send(true));
    if (brush.live) end();
    else brush.timer = setTimeout(end, REST);
  };
}

function keep(brush) {
  brush.before = [...brush.before, brush.cells.slice()].slice(-KEPT);
}

// ---------------------------------------------------------------- strokes

function begin(brush, at) {
  clearTimeout(brush.timer);
  brush.timer = 0;
  keep(brush);
  brush.last = brush.from = at;
  go(brush, at);
}

function go(brush, at) {
  if (brush.tool === "rectangle") rectangle(brush, at);
  else stroke(brush, brush.last, at, brush.size.value / 2, brush.tool === "erase" ? 0 : 1);
  brush.last = brush.at = at;
}

function end(brush) {
  if (!brush.last) return;
  brush.last = brush.pointer = null;
  brush.late = false;
  brush.lifted();
}

function cancel(brush) {
  brush.last = brush.pointer = null;
  brush.undo();
}

function listen(canvas, brush) {
  const placeOf = (event) => {
    const box = canvas.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * brush.columns, ((event.clientY - box.top) / box.height) * brush.rows];
  };
  canvas.onpointerdown = (event) => {
    if (event.button || !brush.of || brush.last || brush.locked) return;
    canvas.setPointerCapture(event.pointerId);
    brush.pointer = event.pointerId;
    brush.keys = false;
    begin(brush, placeOf(event));
    brush.moving();
  };
  canvas.onpointermove = (event) => {
    if (brush.last && event.pointerId !== brush.pointer) return; // another finger
    if (!brush.last) {
      brush.at = event.pointerType === "touch" ? null : placeOf(event);
      brush.keys = false;
      return brush.draw();
    }
    for (const one of event.getCoalescedEvents?.() ?? []) go(brush, placeOf(one));
    go(brush, placeOf(event));
    brush.moving();
  };
  canvas.onpointerup = canvas.onpointercancel = (event) => {
    if (event.pointerId === brush.pointer) end(brush);
  };
  canvas.onpointerleave = () => {
    if (brush.last || brush.keys) return;
    brush.at = null;
    brush.draw();
  };
  canvas.onblur = () => {
    if (brush.keys) end(brush);
    brush.at = null;
    brush.draw();
  };
  canvas.onkeydown = (event) => keyed(brush, event);
}

function keyed(brush, event) {
  const step = STEPS[event.key], back = event.key === "Backspace" || (event.key === "z" && (event.ctrlKey || event.metaKey));
  if (brush.locked || !(step || back || ["Enter", " ", "Escape"].includes(event.key))) return;
  if ((event.ctrlKey || event.metaKey || event.altKey) && !back) return;
  if (event.key === "Escape" && !brush.last) return;
  event.preventDefault();
  event.stopPropagation();
  const middle = [Math.floor(brush.columns / 2) + 0.5, Math.floor(brush.rows / 2) + 0.5];
  const at = (brush.at ?? middle).map((value) => Math.floor(value) + 0.5);
  brush.keys = true;
  if (back) return brush.last ? cancel(brush) : brush.undo();
  if (event.key === "Escape") return cancel(brush);
  if (!step) {
    brush.at = at;
    if (brush.last) return end(brush);
    begin(brush, at);
    return brush.moving();
  }
  const way = event.shiftKey ? 4 : 1, most = [brush.columns, brush.rows];
  const next = at.map((value, i) => Math.min(Math.max(value + way * step[i], 0.5), most[i] - 0.5));
  if (brush.last) go(brush, next), brush.moving();
  else (brush.at = next), brush.draw();
  brush.said.textContent = `Row ${Math.ceil(next[1])} of ${brush.rows}, column ${Math.ceil(next[0])} of ${brush.columns}`;
}

/** Discs along a line, in cells. */
function stroke({ cells, rows, columns }, from, to, radius, value) {
  const steps = Math.ceil(Math.hypot(to[0] - from[0], to[1] - from[1])) + 1;
  for (let step = 0; step <= steps; step++) {
    const [x, y] = [0, 1].map((i) => from[i] + ((to[i] - from[i]) * step) / steps);
    for (let row = Math.max(Math.floor(y - radius), 0); row <= Math.min(y + radius, rows - 1); row++)
      for (let column = Math.max(Math.floor(x - radius), 0); column <= Math.min(x + radius, columns - 1); column++)
        if (Math.hypot(column + 0.5 - x, row + 0.5 - y) <= Math.max(radius, 0.71)) cells[row * columns + column] = value;
  }
}

/** The cells between where a stroke began and where it is now, on what was there before. */
function rectangle(brush, at) {
  const { rows, columns, from } = brush, most = [columns - 1, rows - 1];
  const ends = (i) => [from[i], at[i]].map((value) => Math.min(Math.max(Math.floor(value), 0), most[i])).sort((a, b) => a - b);
  const [[left, right], [top, bottom]] = [ends(0), ends(1)];
  brush.cells = brush.before.at(-1).slice();
  for (let row = top; row <= bottom; row++) brush.cells.fill(1, row * columns + left, row * columns + right + 1);
}

// ---------------------------------------------------------------- what is seen

/** The first pixel whose middle is in a cell, for each cell and one more: the server counts them so. */
const bounds = (cells, side) => Array.from({ length: cells + 1 }, (_, i) => Math.ceil((i * side) / cells - 0.5));

function shareOf({ image, cells, rows, columns }) {
  if (!image) return 0;
  const x = bounds(columns, image.wide), y = bounds(rows, image.high);
  let count = 0;
  cells.forEach((cell, i) => {
    const row = Math.floor(i / columns), column = i % columns;
    if (cell) count += (x[column + 1] - x[column]) * (y[row + 1] - y[row]);
  });
  return count / (image.wide * image.high);
}

const LOOKS = {
  /** Dark is what lies outside; without anything painted, outside of a rectangle. */
  spot(context, { image, cells, rows, columns, edges }) {
    const { wide, high } = image;
    context.fillStyle = "rgb(0 0 0 / 0.6)";
    if (!cells.some(Boolean)) {
      const [left, top, right, bottom] = edges.map((share, i) => share * (i % 2 ? high : wide));
      context.beginPath();
      context.rect(0, 0, wide, high);
      if (right > left && bottom > top) context.rect(left, top, right - left, bottom - top);
      return context.fill("evenodd");
    }
    const shade = new ImageData(columns, rows);
    cells.forEach((cell, i) => (shade.data[4 * i + 3] = cell ? 0 : 153));
    const small = make("canvas", { width: columns, height: rows });
    small.getContext("2d").putImageData(shade, 0, 0);
    context.imageSmoothingEnabled = false;
    context.drawImage(small, 0, 0, wide, high);
  },
  /** Another picture covers what is painted. */
  cover(context, brush) {
    for (const box of boxes(brush)) context.drawImage(brush.under, ...box, ...box);
    edge(context, brush);
  },
  mark(context, brush) {
    context.fillStyle = "rgb(255 214 0 / 0.45)";
    for (const box of boxes(brush)) context.fillRect(...box);
    edge(context, brush);
  },
};

/** The painted cells, those beside each other as one: left, top, width, height in pixels. */
function boxes({ image, cells, rows, columns }) {
  const x = bounds(columns, image.wide), y = bounds(rows, image.high), found = [];
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) {
      const from = column;
      while (column < columns && cells[row * columns + column]) column++;
      if (column > from) found.push([x[from], y[row], x[column] - x[from], y[row + 1] - y[row]]);
    }
  return found;
}

/** A line around what is painted, to be seen on anything. */
function edge(context, { image, cells, rows, columns }) {
  const x = bounds(columns, image.wide), y = bounds(rows, image.high), path = new Path2D();
  const at = (row, column) => row >= 0 && row < rows && column >= 0 && column < columns && cells[row * columns + column];
  const line = (...ends) => (path.moveTo(...ends.slice(0, 2)), path.lineTo(...ends.slice(2)));
  for (let row = 0; row <= rows; row++)
    for (let column = 0; column <= columns; column++) {
      if (column < columns && !at(row, column) !== !at(row - 1, column)) line(x[column], y[row], x[column + 1], y[row]);
      if (row < rows && !at(row, column) !== !at(row, column - 1)) line(x[column], y[row], x[column], y[row + 1]);
    }
  lined(context, path, image.wide);
}

function lined(context, path, wide) {
  const unit = wide / 400;
  for (const [style, width] of [["#000", 2.5], ["#fff", 1]]) {
    context.strokeStyle = style;
    context.lineWidth = width * unit;
    context.stroke(path);
  }
}

function draw(brush) {
  const { canvas, image, at, rows, columns } = brush, { wide, high } = image;
  if (canvas.width !== wide || canvas.height !== high) Object.assign(canvas, { width: wide, height: high });
  const context = canvas.getContext("2d");
  context.drawImage(image, 0, 0);
  LOOKS[brush.look](context, brush);
  canvas.dataset.draws = +(canvas.dataset.draws ?? 0) + 1;
  if (!at || brush.locked) return;
  const path = new Path2D(), [x, y] = [(at[0] * wide) / columns, (at[1] * high) / rows];
  const radius = (Math.max(brush.tool === "rectangle" ? 1 : brush.size.value, 1.4) / 2) * (wide / columns);
  path.arc(x, y, radius, 0, 2 * Math.PI);
  if (brush.last && brush.keys) path.moveTo(x, y), path.arc(x, y, 2, 0, 2 * Math.PI);
  lined(context, path, wide);
}
