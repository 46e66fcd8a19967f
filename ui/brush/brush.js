// A picture to paint a region on. What is dark lies outside; the server hears of it when a stroke has ended.

const REST = 400; // ms after a stroke: several that follow each other are told at once
const KEPT = 32; // strokes that can be undone

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
  Object.assign(brush, { edges: data.edges, heard: data.turn });
  if (brush.of !== data.of || reset) {
    clearTimeout(brush.timer);
    const [rows, columns] = data.grid;
    const cells = data.mask ? unpack(data.mask, rows * columns) : new Uint8Array(rows * columns);
    Object.assign(brush, { of: data.of, rows, columns, cells, before: [], turn: Math.max(brush.turn, data.turn) });
    brush.image.onload = brush.draw;
    brush.image.src = data.picture;
  }
  brush.draw();
};

const unpack = (text, count) => {
  const bytes = atob(text);
  return Uint8Array.from({ length: count }, (_, i) => (bytes.charCodeAt(i >> 3) >> (7 - (i & 7))) & 1);
};

const pack = (cells) => {
  const bytes = new Uint8Array(Math.ceil(cells.length / 8));
  cells.forEach((cell, i) => (bytes[i >> 3] |= cell << (7 - (i & 7))));
  return btoa(String.fromCharCode(...bytes));
};

function build() {
  const words = "The picture. Paint a region with a mouse or a finger; the numbers below mark a rectangle without either.";
  const canvas = make("canvas", { role: "img", ariaLabel: words });
  const size = make("input", { type: "range", min: 1, max: 24, value: 8, ariaLabel: "Size of the brush" });
  const undo = make("button", { type: "button", textContent: "Undo" });
  const clear = make("button", { type: "button", textContent: "Clear" });
  const tools = make("div", { className: "tools" }, make("label", {}, "Brush", size), undo, clear);
  const root = make("div", { className: "brush" }, canvas, tools);
  const brush = { image: new Image(), before: [], cells: [], turn: 0, heard: 0 };
  root.brush = brush;
  const tell = () => {
    clearTimeout(brush.timer);
    brush.timer = setTimeout(() => brush.tell({ of: brush.of, turn: ++brush.turn, mask: pack(brush.cells) }), REST);
  };
  brush.draw = () => {
    undo.disabled = !brush.before.length;
    clear.disabled = !brush.cells.some(Boolean);
    if (brush.image.complete && brush.image.naturalWidth) draw(canvas, brush);
  };
  undo.onclick = () => {
    brush.cells = brush.before.pop();
    brush.draw();
    tell();
  };
  clear.onclick = () => {
    keep(brush);
    brush.cells = new Uint8Array(brush.cells.length);
    brush.draw();
    tell();
  };
  listen(canvas, brush, size, tell);
  return root;
}

function keep(brush) {
  brush.before = [...brush.before, brush.cells.slice()].slice(-KEPT);
}

function listen(canvas, brush, size, tell) {
  let last = null;
  const placeOf = (event) => {
    const box = canvas.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * brush.columns, ((event.clientY - box.top) / box.height) * brush.rows];
  };
  canvas.onpointerdown = (event) => {
    if (event.button || !brush.of || last) return;
    canvas.setPointerCapture(event.pointerId);
    clearTimeout(brush.timer);
    keep(brush);
    last = placeOf(event);
    stroke(brush, last, last, size.value / 2);
    brush.draw();
  };
  canvas.onpointermove = (event) => {
    if (!last) return;
    for (const one of event.getCoalescedEvents?.() ?? [event]) {
      const next = placeOf(one);
      stroke(brush, last, next, size.value / 2);
      last = next;
    }
    brush.draw();
  };
  canvas.onpointerup = canvas.onpointercancel = () => {
    if (last) tell();
    last = null;
  };
}

/** Discs along a line, in cells. */
function stroke({ cells, rows, columns }, from, to, radius) {
  const steps = Math.ceil(Math.hypot(to[0] - from[0], to[1] - from[1])) + 1;
  for (let step = 0; step <= steps; step++) {
    const [x, y] = [0, 1].map((i) => from[i] + ((to[i] - from[i]) * step) / steps);
    for (let row = Math.max(Math.floor(y - radius), 0); row <= Math.min(y + radius, rows - 1); row++)
      for (let column = Math.max(Math.floor(x - radius), 0); column <= Math.min(x + radius, columns - 1); column++)
        if (Math.hypot(column + 0.5 - x, row + 0.5 - y) <= Math.max(radius, 0.71)) cells[row * columns + column] = 1;
  }
}

function draw(canvas, { image, cells, rows, columns, edges }) {
  const width = image.naturalWidth, height = image.naturalHeight;
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d");
  context.drawImage(image, 0, 0);
  context.fillStyle = "rgb(0 0 0 / 0.6)";
  if (!cells.some(Boolean)) {
    const [left, top, right, bottom] = edges.map((share, i) => share * (i % 2 ? height : width));
    context.beginPath();
    context.rect(0, 0, width, height);
    if (right > left && bottom > top) context.rect(left, top, right - left, bottom - top);
    return context.fill("evenodd");
  }
  const shade = new ImageData(columns, rows);
  cells.forEach((cell, i) => (shade.data[4 * i + 3] = cell ? 0 : 153));
  const small = make("canvas", { width: columns, height: rows });
  small.getContext("2d").putImageData(shade, 0, 0);
  context.imageSmoothingEnabled = false;
  context.drawImage(small, 0, 0, width, height);
}
