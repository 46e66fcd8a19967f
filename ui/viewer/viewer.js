// Maps over a picture, drawn where they are looked at. An element of its own brings this file once a session
// (see __init__.py); every other element is a stub that hands itself to `mount`.
//
//   bytes -> unpack -> framed (as vizcore.pictures.frame.to_frame) -> PAINT (as ui.figures.laid) -> canvas

const REST = 300; // ms of quiet before the server is told what was chosen
const FADE = 180; // ms
const KEPT = 24; // pictures and matrices that a page may come back to
const ZOOMS = [1, 2, 4, 8];
const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

const page = {
  look: { opacity: 70, opacity_a: 70, opacity_b: 70, colours: "viridis", scale: "own", region: true },
  name: null, // of the map that was picked for all viewers
  hover: null, // [x, y], shares of the picture's width and height
  pinned: null,
  told: "", // the pinned place and the look as the server last had them
  toldLook: "",
  zoom: 1,
  middle: [0.5, 0.5],
};
const viewers = new Map(); // by key
const strips = new Set();
const things = new Map(); // by id: a promise of what came under it
const sheet = new CSSStyleSheet();
let tables = {}, ORANGE, BLUE;

// ---------------------------------------------------------------- what comes from the server

export default function install({ data }) {
  if (!ORANGE) {
    sheet.replaceSync(data.css);
    [ORANGE, BLUE] = data.ends;
    for (const [name, text] of data.tables) tables[name] = bytesOf(text);
  }
  const kinds = { thing: takeThing, viewer: takeViewer, picker: takePicker, controls: takeControls };
  const mount = (component) => kinds[component.name.split(".")[1]](component);
  const given = { mount, thing: (id) => thing(id).promise };
  window.sightlines?.arrive?.(given);
  window.sightlines = Promise.resolve(given);
}

const bytesOf = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));

/** The head, as an object, and the bytes after it. */
function unpack(data) {
  const length = new DataView(data.buffer, data.byteOffset).getUint32(0, true);
  return [JSON.parse(new TextDecoder().decode(data.subarray(4, 4 + length))), data.subarray(4 + length)];
}

/** A promise of what lies under an id, also before it has come. */
function thing(id) {
  if (!things.has(id)) {
    let arrive;
    const promise = new Promise((resolve) => (arrive = resolve));
    things.set(id, { promise, arrive, on: new Set() });
    for (const [old, { come, on }] of things) if (things.size > KEPT && come && !on.size) things.delete(old);
  }
  return things.get(id);
}

/** Keeps a picture or values, at least as long as their element is on the page. */
function takeThing({ data, parentElement }) {
  const [head, body] = unpack(data);
  const one = thing(head.id);
  for (const { on } of things.values()) on.delete(parentElement);
  one.on.add(parentElement);
  if (!one.come) one.arrive(head.size ? picture(head, body) : body.slice());
  one.come = true;
  return () => one.on.delete(parentElement);
}

async function picture(head, body) {
  const part = ([at, length]) => pixels(body.subarray(at, at + length));
  const regions = {};
  const colours = await part(head.picture);
  for (const [name, place] of Object.entries(head.regions)) {
    const edge = await part(place); // 0 is black, 255 white, what lies between is left as it is
    regions[name] = Uint8Array.from({ length: edge.length / 4 }, (_, i) => edge[4 * i]);
  }
  const grey = new Uint8Array(colours.length / 4); // as OpenCV has it
  for (let i = 0, j = 0; i < grey.length; i++, j += 4)
    grey[i] = (colours[j] * 9798 + colours[j + 1] * 19235 + colours[j + 2] * 3735 + 16384) >> 15;
  return { id: head.id, title: head.title, width: head.size[0], height: head.size[1], colours, grey, regions };
}

async function pixels(file) {
  const options = { colorSpaceConversion: "none", premultiplyAlpha: "none" };
  const bitmap = await createImageBitmap(new Blob([file]), options);
  const canvas = Object.assign(document.createElement("canvas"), { width: bitmap.width, height: bitmap.height });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  return context.getImageData(0, 0, canvas.width, canvas.height).data;
}

/** A map's values as floats; a matrix stays as it came, and each row is turned when it is asked for. */
async function valuesOf(map, body) {
  const bytes = map.thing ? await thing(map.thing).promise : body.slice(map.at, map.at + map.length);
  map.raw = map.type === "f4" ? new Float32Array(bytes.slice().buffer) : bytes;
  if (!map.grid) map.values = turned(map, map.raw);
  return map;
}

function turned(map, raw) {
  if (map.type === "f4") return raw;
  const values = new Float32Array(raw.length), span = map.high - map.low;
  for (let i = 0; i < raw.length; i++) values[i] = map.low + (raw[i] / 255) * span;
  return values;
}

// ---------------------------------------------------------------- a map in the frame

/** Which pixels' centres lie in the box: from and to in x, then in y. */
function seenIn(box, width, height) {
  const [left, top, right, bottom] = box.map(Math.fround);
  const within = (from, to, size) => {
    const first = Math.min(Math.max(Math.ceil(from - 0.5), 0), size);
    return [first, Math.max(Math.min(Math.ceil(to - 0.5), size), first)];
  };
  return [...within(left, right, width), ...within(top, bottom, height)];
}

/** For each pixel along one side: the cell before it, the cell after it, and how far it is to the latter. */
function along(from, to, cells, size) {
  const before = new Int32Array(size), after = new Int32Array(size), share = new Float32Array(size);
  for (let i = 0; i < size; i++) {
    const place = Math.min(Math.max(((i + 0.5 - from) / (to - from)) * cells - 0.5, 0), cells - 1);
    before[i] = Math.floor(place);
    after[i] = Math.min(before[i] + 1, cells - 1);
    share[i] = place - before[i];
  }
  return [before, after, share];
}

/** Values (channels, rows, columns) brought to the picture's pixels, and their ends where they are seen. */
function framed(values, [channels, rows, columns], box, width, height, into) {
  const [x0, x1, y0, y1] = seenIn(box, width, height);
  const [left, right, shareX] = along(box[0], box[2], columns, width);
  const [above, below, shareY] = along(box[1], box[3], rows, height);
  const result = into?.length === channels * width * height ? into : new Float32Array(channels * width * height);
  const row = new Float32Array(columns);
  let low = Infinity, high = -Infinity;
  for (let c = 0; c < channels; c++)
    for (let y = y0; y < y1; y++) {
      const a = (c * rows + above[y]) * columns, b = (c * rows + below[y]) * columns, t = shareY[y];
      for (let i = 0; i < columns; i++) row[i] = values[a + i] * (1 - t) + values[b + i] * t;
      for (let x = x0, at = (c * height + y) * width + x0; x < x1; x++, at++) {
        const value = row[left[x]] * (1 - shareX[x]) + row[right[x]] * shareX[x];
        result[at] = value;
        if (value < low) low = value;
        if (value > high) high = value;
      }
    }
  return { values: result, seen: [x0, x1, y0, y1], low: low > high ? 0 : low, high: low > high ? 0 : high };
}

// ---------------------------------------------------------------- colours

const clip = (value, low, high) => (value < low ? low : value > high ? high : value);

const LEVELS = 1024; // of a signed colour, to either side of zero

// Each colour is laid on as picture * kept + laid. The canvas's bytes round by themselves.

/** For each of a row of colours under an opacity: what is kept of the picture, and what is laid on, in three. */
function mixed(count, colourAt, opacityAt) {
  const kept = new Float32Array(count), laid = new Float32Array(3 * count);
  for (let i = 0; i < count; i++) {
    const opacity = opacityAt(i), colour = colourAt(i);
    kept[i] = 1 - opacity;
    for (let c = 0; c < 3; c++) laid[3 * i + c] = colour[c] * opacity;
  }
  return [kept, laid];
}

/** Blue over white to orange, the less to be seen the nearer to zero. */
function signed(opacity) {
  if (signed.opacity === opacity) return signed.mix;
  const share = (i) => Math.abs(i / LEVELS - 1);
  const colour = (i) => (i > LEVELS ? ORANGE : BLUE).map((end) => Math.round(255 * (1 - share(i)) + end * share(i)));
  return Object.assign(signed, { opacity, mix: mixed(2 * LEVELS + 1, colour, (i) => share(i) * opacity) }).mix;
}

/** Lays colours over what is seen: value * scale + shift is the index of each. */
function lay(out, { colours }, { values, seen: [x0, x1, y0, y1] }, width, [kept, laid], scale, shift) {
  const last = kept.length - 1;
  for (let y = y0; y < y1; y++)
    for (let i = y * width + x0, end = y * width + x1, j = 4 * i; i < end; i++, j += 4) {
      const place = values[i] * scale + shift;
      const at = place <= 0 ? 0 : place >= last ? last : (place + 0.5) | 0;
      const share = kept[at];
      out[j] = colours[j] * share + laid[3 * at];
      out[j + 1] = colours[j + 1] * share + laid[3 * at + 1];
      out[j + 2] = colours[j + 2] * share + laid[3 * at + 2];
    }
}

const PAINT = {
  heat(out, source, frame, [low, high], opacity, colours) {
    const table = tables[colours], scale = high > low ? 255 / (high - low) : 0;
    const mix = mixed(256, (i) => table.subarray(3 * i, 3 * i + 3), () => opacity);
    lay(out, source, frame, source.width, mix, scale, -low * scale);
  },
  signed(out, source, frame, [, high], opacity) {
    lay(out, source, frame, source.width, signed(opacity), high ? LEVELS / high : 0, LEVELS);
  },
  colours(out, source, { values, seen: [x0, x1, y0, y1] }, _, opacity) {
    const { width, height, colours } = source, size = width * height;
    for (let y = y0; y < y1; y++)
      for (let i = y * width + x0, end = y * width + x1; i < end; i++)
        for (let c = 0, j = 4 * i; c < 3; c++, j++)
          out[j] = colours[j] * (1 - opacity) + opacity * Math.round(255 * values[i + c * size]);
  },
};

/** A thin white line around what a network saw, where that is less than the picture. */
function outline(out, { seen: [x0, x1, y0, y1] }, { width, height }) {
  if ((!x0 && !y0 && x1 === width && y1 === height) || x1 <= x0 || y1 <= y0) return;
  const white = (x, y) => out.fill(255, 4 * (y * width + x), 4 * (y * width + x) + 3);
  for (let x = x0; x < x1; x++) white(x, y0), white(x, y1 - 1);
  for (let y = y0; y < y1; y++) white(x0, y), white(x1 - 1, y);
}

function contour(out, edge) {
  for (let i = 0; i < edge.length; i++)
    if (edge[i] < 64 || edge[i] > 192) out.fill(edge[i], 4 * i, 4 * i + 3);
}

/** Two maps on one grey picture, 0 to 1 each: both in their colours, or where one is stronger. */
const TOGETHER = {
  both(out, source, [a, b], [opacityA, opacityB]) {
    for (let i = 0, j = 0; i < source.grey.length; i++, j += 4) {
      const grey = source.grey[i], first = a[i] * opacityA, second = b[i] * opacityB;
      for (let c = 0; c < 3; c++) {
        const once = Math.round(grey * (1 - first) + ORANGE[c] * first);
        out[j + c] = once * (1 - second) + BLUE[c] * second;
      }
    }
  },
  difference(out, source, [a, b], opacities, seen) {
    const values = Float32Array.from(a, (value, i) => value - b[i]);
    lay(out, { colours: out }, { values, seen }, source.width, signed(Math.max(...opacities)), LEVELS, LEVELS);
  },
};

/** From 0 (or the lowest value) to the map's own maximum, as shares; 0 where the network didn't see. */
function shares({ frame, map, values, viewer }, zero) {
  const result = new Float32Array(frame.values.length), [x0, x1, y0, y1] = frame.seen, { width } = viewer.picture;
  const low = zero || map.kind === "signed" ? 0 : frame.low;
  let high = 1e-12;
  for (const value of zero ? values : [frame.high]) if (value > high) high = value;
  for (let y = y0; y < y1; y++)
    for (let i = y * width + x0, end = y * width + x1; i < end; i++)
      result[i] = clip((frame.values[i] - low) / (high - low), 0, 1);
  return result;
}

// ---------------------------------------------------------------- one viewer

/** The viewers on the page. The others wait for theirs to come back. */
const shown = () => [...viewers.values()].filter((viewer) => viewer.parent && viewer.picture);

const place = () => page.hover ?? page.pinned;

/** What a viewer shows now: the map picked for all, if it has it, or else its own. */
function chosenMap(viewer) {
  const { maps, head } = viewer;
  const named = (name) => maps.find((map) => map.name === name);
  return named(page.name) ?? (viewer.waiting ? viewer.map : undefined) ?? named(head.chosen) ?? maps[0];
}

function cellAt([x, y], { box, rows, columns }, { width, height }) {
  const column = Math.trunc(((x * width - box[0]) / (box[2] - box[0])) * columns);
  const row = Math.trunc(((y * height - box[1]) / (box[3] - box[1])) * rows);
  return [clip(row, 0, rows - 1), clip(column, 0, columns - 1)];
}

/** The chosen map in the frame; of a matrix, the row of the place that is pointed at. */
function ready(viewer) {
  const map = (viewer.map = chosenMap(viewer));
  let name = map.id, values = map.values;
  if (map.grid) {
    const [row, column] = cellAt(place() ?? [0.5, 0.5], map, viewer.picture);
    const cells = map.rows * map.columns, from = (row * map.columns + column) * cells;
    name += `:${row},${column}`;
    if (viewer.one?.name !== name) values = turned(map, map.raw.subarray(from, from + cells));
  }
  name += viewer.picture.id;
  if (viewer.one?.name === name) return Object.assign(viewer.one, { map });
  const { width, height } = viewer.picture;
  const frame = framed(values, [map.channels, map.rows, map.columns], map.box, width, height, viewer.one?.frame.values);
  return (viewer.one = { name, map, values, frame, viewer });
}

/** From where to where the colours go: as given, its own ends, or those of all like it on the page. */
function rangeOf(one) {
  const own = ({ map, frame }) =>
    map.range ?? (map.kind === "signed" ? [-1, 1] : [frame.low, frame.high]);
  if (page.look.scale !== "shared") return own(one);
  if (one.map.shared) return one.map.shared;
  const alike = shown().filter(
    ({ one: other }) => other && other.map.kind === one.map.kind && other.map.unit === one.map.unit,
  );
  const all = alike.map((viewer) => own(viewer.one));
  return [Math.min(...all.map((r) => r[0])), Math.max(...all.map((r) => r[1]))];
}

const opacityOf = ({ viewer }) => page.look[viewer.head.opacity] / 100;

function paintOne(out, one, range, region) {
  const { picture: source } = one.viewer;
  out.set(source.colours);
  PAINT[one.map.kind](out, source, one.frame, range, opacityOf(one), page.look.colours);
  outline(out, one.frame, source);
  if (region) contour(out, region);
}

function regionOf(viewer, map) {
  return page.look.region ? viewer.picture.regions[map.region] : undefined;
}

/** The viewers that one lays together. */
function sidesOf(viewer) {
  return viewer.head.of.map((key) => viewers.get(key)).filter((side) => side?.parent && side.one);
}

let asked = 0;
function draw() {
  asked ||= requestAnimationFrame(() => {
    asked = 0;
    const all = shown();
    for (const viewer of all) if (viewer.maps.length) ready(viewer);
    for (const viewer of all) viewer.range = viewer.one && rangeOf(viewer.one);
    for (const viewer of all) (viewer.head.of ? drawTogether : drawAlone)(viewer);
    for (const viewer of all) point(viewer);
  });
}

function drawAlone(viewer) {
  const { picture: source, one, parts } = viewer;
  if (!one) {
    finish(viewer, source.id, (out) => out.set(source.colours));
    parts.legend.style.visibility = "hidden";
    speech(viewer, []);
    return say(viewer, 0, source.title);
  }
  const { range } = viewer, region = regionOf(viewer, one.map);
  const { colours } = page.look;
  const what = [one.name, range, opacityOf(one), one.map.kind === "heat" && colours, !!region, one.map.region].join();
  if (finish(viewer, what, (out) => paintOne(out, one, range, region))) legend(parts, one.map, range, colours);
  speech(viewer, viewer.maps.map((map) => [map.words, map.facts]));
  say(viewer, viewer.maps.indexOf(one.map), one.map.alt || `${one.map.words}, over ${source.title}`);
}

function drawTogether(viewer) {
  const { picture: source, head } = viewer;
  const sides = sidesOf(viewer);
  if (sides.length < 2 || sides.some((side) => side.picture.id !== source.id)) return;
  const [a, b] = sides.map((side) => side.one), { colours } = page.look, opacities = [a, b].map(opacityOf);
  const ranges = sides.map((side) => side.range), regions = [a, b].map((one) => regionOf(viewer, one.map));
  const cut = Math.round(source.width * (place()?.[0] ?? 0.5));
  const what = [a.name, b.name, ranges, viewer.mode, viewer.mode === "swipe" && cut, opacities, colours];
  what.push(page.look.region, a.map.region, b.map.region);
  finish(viewer, what.join(), (out) => {
    if (viewer.mode === "swipe") return swipe(out, [a, b], ranges, regions, cut);
    const side = { a: 0, b: 1 }[viewer.mode];
    if (side !== undefined) return paintOne(out, [a, b][side], ranges[side], regions[side]);
    const [x0, x1, y0, y1] = [0, 1, 2, 3].map((i) => (i % 2 ? Math.min : Math.max)(a.frame.seen[i], b.frame.seen[i]));
    const seen = [x0, Math.max(x0, x1), y0, Math.max(y0, y1)];
    if (viewer.names !== a.name + b.name) viewer.shares = [a, b].map((one) => shares(one, head.zero));
    viewer.names = a.name + b.name;
    for (let i = 0, j = 0; i < source.grey.length; i++, j += 4) out[j] = out[j + 1] = out[j + 2] = source.grey[i];
    TOGETHER[viewer.mode](out, source, viewer.shares, opacities, seen);
    const edge = regions[0] ?? regions[1];
    if (edge) contour(out, edge);
  });
  const names = NAMES[viewer.mode], laid = names[0] === "Orange";
  const words = [a, b].flatMap((one, i) => (names[i] ? `${names[i]}: ${one.map.words}` : [])).join("; ");
  speech(viewer, [[`${words}.${laid ? ` ${head.words}` : ""}`, head.facts[page.name ?? a.map.name] ?? head.facts[""] ?? ""]]);
  say(viewer, 0, `${words}, over ${source.title}`);
}

function swipe(out, sides, ranges, regions, cut) {
  const { width, height } = sides[0].viewer.picture, other = new Uint8ClampedArray(out.length).fill(255);
  paintOne(out, sides[0], ranges[0], regions[0]);
  paintOne(other, sides[1], ranges[1], regions[1]);
  for (let y = 0; y < height; y++) {
    out.set(other.subarray(4 * (y * width + cut), 4 * (y + 1) * width), 4 * (y * width + cut));
    out.fill(255, 4 * (y * width + Math.max(cut - 1, 0)), 4 * (y * width + Math.min(cut + 1, width)));
  }
}

/** Puts a picture on the canvas, if it differs from the one there; says whether it did. */
function finish(viewer, what, paint) {
  if (viewer.what === what) return false;
  const { parts, picture: source } = viewer, { canvas, ghost } = parts;
  const same = canvas.width === source.width && canvas.height === source.height;
  if (viewer.fresh && viewer.what && same) fade(ghost, canvas);
  if (!same || !viewer.image) {
    Object.assign(canvas, { width: source.width, height: source.height });
    viewer.image = new ImageData(source.width, source.height);
    viewer.image.data.fill(255);
  }
  paint(viewer.image.data);
  canvas.getContext("2d", { willReadFrequently: true }).putImageData(viewer.image, 0, 0);
  viewer.what = what;
  viewer.fresh = false;
  parts.frame.dataset.draws = +(parts.frame.dataset.draws ?? 0) + 1;
  parts.frame.classList.remove("empty");
  return true;
}

/** The old picture goes slowly, over the new one. */
function fade(ghost, canvas) {
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  Object.assign(ghost, { width: canvas.width, height: canvas.height });
  ghost.getContext("2d").drawImage(canvas, 0, 0);
  ghost.animate([{ opacity: 1 }, { opacity: 0 }], { duration: FADE, easing: "ease-out" });
}

// ---------------------------------------------------------------- words and numbers

/** Two digits; of what is next to nothing in a span, none. */
function short(value, span = 0) {
  return Math.abs(value) < span / 1000 ? "0" : String(Number(value.toPrecision(2))).replace("-", "−");
}

/** A line with **bold**, :material/icons: and :red[colours], as Streamlit writes them. */
function written(className, text) {
  const parts = text.split(/(\*\*.+?\*\*|:material\/\w+:|:\w+\[.*?\])/);
  const line = make("p", { className });
  for (const part of parts) {
    const icon = part.match(/^:material\/(\w+):$/), colour = part.match(/^:(\w+)\[(.*)\]$/);
    if (icon) line.append(make("span", { className: "icon", textContent: icon[1], ariaHidden: "true" }));
    else if (colour) {
      line.append(make("span", { textContent: colour[2] }));
      line.lastChild.style.color = `var(--st-${colour[1]}-text-color)`;
    } else if (part.startsWith("**")) line.append(make("b", { textContent: part.slice(2, -2) }));
    else line.append(part);
  }
  return line;
}

function legend(parts, map, [low, high], colours) {
  parts.legend.style.visibility = map.kind === "colours" ? "hidden" : "";
  const [from, to] = map.kind === "signed" ? [-high, high] : [low, high];
  parts.low.textContent = short(from, to - from);
  parts.high.textContent = short(to, to - from) + (map.unit ? ` ${map.unit}` : "");
  const shade = map.kind === "heat" ? colours : map.kind;
  if (parts.bar.dataset.shade === shade) return;
  parts.bar.dataset.shade = shade;
  const bar = parts.bar.getContext("2d"), strip = new ImageData(256, 1);
  strip.data.fill(255);
  const [, shades] = map.kind === "signed" ? signed(1) : [];
  for (let i = 0; i < 256; i++) {
    const at = 3 * Math.round((i / 255) * 2 * LEVELS); // of a signed colour, as it lies on white
    const white = 255 * (1 - Math.abs(i / 127.5 - 1));
    if (shades) for (let c = 0; c < 3; c++) strip.data[4 * i + c] = shades[at + c] + white;
    else strip.data.set(tables[colours].subarray(3 * i, 3 * i + 3), 4 * i);
  }
  bar.putImageData(strip, 0, 0);
}

/** The words of all maps lie on each other, of which one is seen: the room that they take stays the same. */
function speech(viewer, texts) {
  const { said } = viewer.parts, key = JSON.stringify(texts);
  if (said.key === key) return;
  const wide = said.clientWidth;
  said.style.minHeight = said.wide === wide ? `${said.clientHeight}px` : "";
  Object.assign(said, { key, wide });
  said.replaceChildren(
    ...texts.map(([words, facts]) => make("div", {}, written("words", words), written("facts", facts))),
  );
}

function say(viewer, number, name) {
  const { parts } = viewer;
  [...parts.said.children].forEach((one, i) => one.classList.toggle("now", i === number));
  parts.canvas.ariaLabel = parts.frame.ariaLabel = name.replaceAll("**", "");
}

/** The crosshair, the value under it, and the part of the picture that is looked at. */
function point(viewer) {
  const { parts, picture: source, one } = viewer, at = place();
  const [x0, y0] = corner(), z = page.zoom;
  parts.layers.style.transform = z === 1 ? "" : `translate(${-100 * x0 * z}%, ${-100 * y0 * z}%) scale(${z})`;
  parts.frame.classList.toggle("pinned", !!page.pinned && !page.hover);
  parts.cross.hidden = parts.tip.hidden = parts.tick.hidden = !at;
  if (!at) return;
  const [left, top] = [(at[0] - x0) * z, (at[1] - y0) * z].map((share) => `${100 * share}%`);
  parts.cross.style.transform = `translate(${left}, ${top})`; // which shifts no layout
  const read = viewer.head.of ? readBoth(viewer, at) : readOne(one, at, source);
  parts.tip.hidden = !read.value;
  parts.tip.firstChild.textContent = read.value;
  parts.tip.lastChild.textContent = read.cell;
  parts.tick.hidden = read.share === undefined;
  parts.tick.style.transform = `translateX(${100 * clip(read.share ?? 0, 0, 1)}%)`;
  viewer.spoken = read.value && `${read.value}${read.cell}`;
}

function readOne(one, at, source) {
  if (!one) return { value: "", cell: "" };
  const { map, values } = one, { box, rows, columns } = map;
  const x = at[0] * source.width, y = at[1] * source.height;
  if (x < box[0] || x >= box[2] || y < box[1] || y >= box[3]) return { value: "not seen", cell: "" };
  const [row, column] = cellAt(at, map, source);
  const cell = ` row ${row + 1} of ${rows}, column ${column + 1} of ${columns}`;
  if (map.kind === "colours") return { value: " ", cell };
  const value = values[row * columns + column], [low, high] = one.viewer.range;
  const from = map.kind === "signed" ? -high : low;
  return { value: short(value, high - from) + (map.unit ? ` ${map.unit}` : ""), cell, share: (value - from) / (high - from || 1) };
}

function readBoth(viewer, at) {
  const names = NAMES[viewer.mode];
  const read = sidesOf(viewer).map((side) => readOne(side.one, at, side.picture).value);
  return { value: read.flatMap((one, i) => (names[i] ? `${names[i]} ${one}` : [])).join(", "), cell: "" };
}

// ---------------------------------------------------------------- pointing

const corner = () => page.middle.map((middle) => clip(middle - 0.5 / page.zoom, 0, 1 - 1 / page.zoom));

function placeOf(event, frame) {
  const box = frame.getBoundingClientRect(), [x0, y0] = corner();
  const x = (event.clientX - box.left) / box.width / page.zoom + x0;
  return [x, (event.clientY - box.top) / box.height / page.zoom + y0].map((v) => clip(v, 0, 0.999));
}

/** Calls once, when it has been quiet for a while. */
function later(wait = REST) {
  let timer = 0;
  return (call, soon) => {
    clearTimeout(timer);
    timer = setTimeout(() => ((timer = 0), call()), soon ?? wait);
  };
}

const tellPin = later(), tellName = later(), tellLook = later(), tellMode = later(), speak = later(250);

function pin(viewer, at) {
  page.pinned = at;
  page.told = String(at);
  draw();
  if (viewer.head.pins) tellPin(() => viewer.send("pinned", at));
}

function zoomTo(zoom, middle) {
  page.zoom = zoom;
  if (middle) page.middle = middle;
  page.middle = page.middle.map((m) => clip(m, 0.5 / zoom, 1 - 0.5 / zoom));
  for (const { parts } of viewers.values()) {
    parts.frame.classList.toggle("zoomed", zoom > 1);
    parts.zoom.ariaPressed = String(zoom > 1);
  }
  draw();
}

function listen(viewer) {
  const { frame, zoom, full, root } = viewer.parts;
  let from = null, moved = false;
  frame.onpointerdown = (event) => {
    from = { x: event.clientX, y: event.clientY, middle: page.middle };
    moved = false;
  };
  frame.onpointermove = (event) => {
    const box = frame.getBoundingClientRect();
    const way = from && [(event.clientX - from.x) / box.width, (event.clientY - from.y) / box.height];
    moved ||= !!from && Math.hypot(event.clientX - from.x, event.clientY - from.y) > 4;
    if (from && moved && page.zoom > 1) zoomTo(page.zoom, from.middle.map((m, i) => m - way[i] / page.zoom));
    else page.hover = placeOf(event, frame);
    draw();
  };
  frame.onpointerup = (event) => {
    const dragged = moved && page.zoom > 1;
    if (from && !dragged && event.button === 0) pin(viewer, placeOf(event, frame));
    from = null;
  };
  frame.onpointerleave = frame.onpointercancel = () => {
    from = page.hover = null;
    draw();
  };
  frame.addEventListener(
    "wheel",
    (event) => {
      if (!event.ctrlKey) return; // two fingers on a touchpad; the wheel alone is the page's
      event.preventDefault();
      zoomTo(clip(page.zoom * Math.exp(-event.deltaY / 100), 1, ZOOMS.at(-1)), placeOf(event, frame));
    },
    { passive: false },
  );
  frame.onkeydown = (event) => keyed(viewer, event);
  zoom.onclick = () => zoomTo(ZOOMS[ZOOMS.indexOf(page.zoom) + 1] ?? 1, page.pinned ?? page.middle);
  full.hidden = !document.fullscreenEnabled;
  full.onclick = () => (document.fullscreenElement ? document.exitFullscreen() : root.requestFullscreen());
}

function keyed(viewer, event) {
  const step = STEPS[event.key], { full } = viewer.parts, zoomed = ZOOMS.indexOf(page.zoom);
  const actions = {
    " ": () => pin(viewer, place() ?? [0.5, 0.5]),
    Enter: () => pin(viewer, place() ?? [0.5, 0.5]),
    Escape: () => ((page.hover = null), zoomTo(1)),
    "+": () => zoomTo(ZOOMS[zoomed + 1] ?? ZOOMS.at(-1), place()),
    "-": () => zoomTo(ZOOMS[zoomed - 1] ?? 1, place()),
    f: () => full.click(),
  };
  if (event.ctrlKey || event.metaKey || event.altKey || !(step || actions[event.key])) return;
  if (event.key === "Escape" && page.zoom === 1 && !page.hover) return;
  event.preventDefault();
  event.stopPropagation();
  if (step) move(viewer, step);
  else actions[event.key]();
  speak(() => (viewer.parts.live.textContent = viewer.spoken ?? ""));
}

/** One cell on, to its middle; without a map a twentieth of the picture. */
function move(viewer, step) {
  const source = viewer.picture, at = place() ?? [0.5, 0.5];
  const map = (viewer.head.of ? viewers.get(viewer.head.of[0]) : viewer)?.one?.map;
  const wide = map && Math.max(map.rows, map.columns) <= 64; // a fine map's cells are too many to walk
  const grid = wide ? map : { box: [0, 0, source.width, source.height], rows: 20, columns: 20 };
  const [row, column] = cellAt(at, grid, source), { box, rows, columns } = grid;
  const x = box[0] + ((clip(column + step[0], 0, columns - 1) + 0.5) / columns) * (box[2] - box[0]);
  const y = box[1] + ((clip(row + step[1], 0, rows - 1) + 0.5) / rows) * (box[3] - box[1]);
  page.hover = [clip(x / source.width, 0, 0.999), clip(y / source.height, 0, 0.999)];
  if (page.zoom > 1) zoomTo(page.zoom, page.hover);
  draw();
}

// ---------------------------------------------------------------- elements

const make = (tag, values = {}, ...children) => {
  const element = Object.assign(document.createElement(tag), values);
  element.append(...children);
  return element;
};

/** An element in a component's root, made on its first visit. */
function rootOf(parent, className) {
  return settle(parent, parent.querySelector(`.${className}`) ?? make("div", { className }));
}

function settle(parent, root) {
  parent.adoptedStyleSheets = [sheet];
  if (root.parentNode !== parent) parent.append(root);
  const [red, green, blue] = getComputedStyle(root).backgroundColor.match(/[\d.]+/g).map(Number);
  root.style.colorScheme = red + green + blue > 382 ? "light" : "dark";
  return root;
}

/** In a row that is wider than its place: brings one into view, and marks the ends that hide some. */
function reveal(row, one) {
  const [all, part] = [row, one ?? row].map((each) => each.getBoundingClientRect());
  if (part.left < all.left) row.scrollLeft -= all.left - part.left;
  if (part.right > all.right) row.scrollLeft += part.right - all.right;
  row.classList.toggle("less", row.scrollLeft > 4);
  row.classList.toggle("more", row.scrollWidth - row.clientWidth - row.scrollLeft > 4);
}

/** Choices of which one holds, as a group of radio buttons; arrow keys go through them. */
function radios(label, options, chosen, choose) {
  const group = make("div", { className: "radios", role: "radiogroup", ariaLabel: label });
  const buttons = options.map(([value, words, note]) => {
    const button = make("button", { type: "button", role: "radio", value }, make("span", { textContent: words }));
    if (note) button.append(make("small", { textContent: note }));
    button.onclick = () => choose(value);
    return button;
  });
  group.append(...buttons);
  group.onkeydown = (event) => {
    const [dx, dy] = STEPS[event.key] ?? [];
    if (dx === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    const at = buttons.findIndex((button) => button.ariaChecked === "true");
    const next = buttons[(at + dx + dy + buttons.length) % buttons.length];
    next.focus();
    next.click();
  };
  group.check = (value) => {
    const none = !options.some(([one]) => one === value);
    buttons.forEach((button, i) => {
      button.ariaChecked = String(button.value === value);
      button.tabIndex = button.value === value || (none && !i) ? 0 : -1;
    });
    requestAnimationFrame(() => reveal(group, buttons.find((button) => button.value === value)));
  };
  group.onscroll = () => reveal(group);
  group.check(chosen);
  return group;
}

const MODES = [["both", "Both"], ["difference", "Difference"], ["swipe", "Swipe"], ["a", "A"], ["b", "B"]];
const NAMES = { swipe: ["Left", "Right"], a: ["A"], b: [, "B"] }; // of the two maps, by mode
NAMES.both = NAMES.difference = ["Orange", "Blue"];
const KEYS = "Arrow keys move the crosshair, Enter pins it, plus and minus zoom, F fills the screen.";

function build(root, head) {
  const tool = (icon, label) => {
    const className = `icon ${label.toLowerCase()}`;
    return make("button", { type: "button", className, textContent: icon, title: label, ariaLabel: label });
  };
  const parts = {
    root,
    canvas: make("canvas", { role: "img", ariaLabel: "Not drawn yet" }),
    ghost: make("canvas", { className: "ghost", ariaHidden: "true" }),
    cross: make("i", { className: "cross", hidden: true }),
    tip: make("div", { className: "tip", hidden: true, ariaHidden: "true" }, make("b"), make("span")),
    zoom: tool("zoom_in", "Zoom"),
    full: tool("fullscreen", "Full screen"),
    low: make("span"),
    high: make("span"),
    bar: make("canvas", { width: 256, height: 1, ariaHidden: "true" }),
    tick: make("i", { className: "tick", hidden: true }),
    said: make("div", { className: "said" }),
    live: make("div", { className: "unseen", ariaLive: "polite" }),
  };
  parts.zoom.ariaPressed = "false";
  parts.layers = make("div", { className: "layers" }, parts.canvas, parts.ghost);
  parts.frame = make("div", { className: "frame empty", tabIndex: 0, role: "application", ariaDescription: KEYS });
  parts.frame.append(parts.layers, parts.cross, parts.tip);
  const stage = make("div", { className: "stage" }, parts.frame);
  stage.append(make("div", { className: "tools" }, parts.zoom, parts.full));
  const bar = make("div", { className: "bar" }, parts.bar, parts.tick);
  parts.legend = make("div", { className: "legend" }, parts.low, bar, parts.high);
  parts.below = make("div", { className: "below" }, parts.legend, parts.said);
  if (head.of) parts.legend.remove();
  root.append(stage, parts.below, parts.live);
  return parts;
}

/** How the two of a picture are shown, above it. */
function modes(viewer) {
  const choose = (mode) => {
    viewer.mode = mode;
    group.check(mode);
    if (viewer.head.tells) tellMode(() => viewer.send("mode", (viewer.head.mode = mode)));
    draw();
  };
  const group = radios("On one picture", MODES, viewer.mode, choose);
  viewer.check = group.check;
  viewer.parts.root.prepend(group);
}

async function takeViewer({ data, parentElement, setTriggerValue }) {
  const [head, body] = unpack(data);
  let viewer = viewers.get(head.key);
  if (!viewer || String(viewer.head.of) !== String(head.of)) {
    const root = make("div", { className: "viewer" });
    viewer = { parts: build(root, head), head, maps: [], mode: head.mode };
    viewers.set(head.key, viewer);
    if (head.of) modes(viewer);
    listen(viewer);
  }
  const { root } = viewer.parts;
  settle(parentElement, root); // where the page was built anew, what was drawn moves over as it is
  viewer.parent = parentElement;
  viewer.send = setTriggerValue;
  if (head.of && head.mode !== viewer.head.mode) viewer.check((viewer.mode = head.mode)); // by Back, say
  root.style.setProperty("--wide", head.size[0]);
  root.style.setProperty("--high", head.size[1]);
  root.style.setProperty("--lines", head.lines);
  await takeMaps(viewer, head, body);
  return () => viewer.parent === parentElement && (viewer.parent = null);
}

async function takeMaps(viewer, head, body) {
  const turn = (viewer.turn = (viewer.turn ?? 0) + 1);
  if (viewer.picture && head.id === viewer.head.id) {
    viewer.waiting = false; // the server has answered, with what it had said before
  } else {
    const [source, ...maps] = await Promise.all([
      thing(head.picture).promise,
      ...head.maps.map((map) => valuesOf(map, body)),
    ]);
    if (turn !== viewer.turn) return; // a newer answer has come since
    Object.assign(viewer, { picture: source, maps, waiting: false, fresh: true });
    if (!maps.length) viewer.one = undefined;
  }
  viewer.head = head;
  viewer.parts.frame.classList.remove("waiting");
  const point = head.point && String(head.point);
  if (point && point !== page.told) {
    page.pinned = head.point;
    page.told = point;
  }
  draw();
}

/** The same as a slider that plays: goes on to the next by itself, up to the last. */
function player(label, options, chosen, choose, seconds) {
  const names = options.map(([name]) => name), count = names.length;
  const button = make("button", { type: "button" }), output = make("output");
  const range = make("input", { type: "range", min: 1, max: count, step: 1, ariaLabel: label });
  const group = make("div", { className: "player" }, button, make("span", { textContent: label }), range, output);
  let timer = 0;
  const go = (at) => choose(names[at - 1], !!timer);
  group.stop = () => {
    timer = clearInterval(timer) ?? 0;
    button.textContent = "Play";
  };
  const step = () => {
    const at = Math.min(Number(range.value) + 1, count);
    if (at === count) group.stop();
    go(at);
  };
  button.onclick = () => {
    if (timer) return group.stop(), go(Number(range.value)); // where it is, which the server hears now
    timer = setInterval(step, 1000 * seconds);
    button.textContent = "Pause";
    if (Number(range.value) === count) go(1);
  };
  range.oninput = () => (group.stop(), go(Number(range.value)));
  group.check = (name) => {
    range.value = names.indexOf(name) + 1;
    output.textContent = name;
  };
  group.stop();
  group.check(chosen);
  return group;
}

/** The names of maps, to be picked for all viewers of the page. */
function takePicker({ data, parentElement, setTriggerValue }) {
  const root = rootOf(parentElement, "picker"), { label, names, chosen, tells, seconds, square } = data;
  const choose = (name, moving) => {
    page.name = name;
    group.check(name);
    for (const viewer of shown()) {
      viewer.waiting = viewer.maps.some((map) => map.name) && !viewer.maps.some((map) => map.name === name);
      viewer.parts.frame.classList.toggle("waiting", viewer.waiting);
    }
    const all = shown().every((viewer) => !viewer.waiting);
    if (tells && !moving) tellName(() => setTriggerValue("picked", name), all ? REST : 0);
    draw();
  };
  if (root.told !== chosen) page.name = root.told = chosen;
  const focused = parentElement.activeElement?.value, same = String(names) === root.names && root.group?.stop;
  const group = same ? root.group : seconds ? player(label, names, page.name, choose, seconds) : radios(label, names, page.name, choose);
  if (same) group.check(page.name);
  else root.group?.stop?.(), root.replaceChildren(group);
  group.classList.toggle("square", !!square);
  Object.assign(root, { group, names: String(names) });
  if (focused) group.querySelector(`[value="${CSS.escape(focused)}"]`)?.focus();
  draw();
  page.picker = root;
  return () => {
    group.stop?.();
    if (page.picker === root) page.name = null;
  };
}

/** Opacity, colours, scale and the true region, for all viewers of the page. */
function takeControls({ data, parentElement, setTriggerValue }) {
  const root = rootOf(parentElement, "strip"), { controls, tells } = data;
  const look = Object.fromEntries(data.look), said = JSON.stringify(look);
  if (page.toldLook !== said) Object.assign(page.look, look);
  page.toldLook = said;
  const change = (name, value) => {
    page.look[name] = value;
    for (const strip of strips) strip.show();
    if (tells) tellLook(() => setTriggerValue("look", page.look));
    draw();
  };
  if (!root.show) {
    const made = controls.map((name) => CONTROLS[name](change));
    root.append(...made.map(([element]) => element));
    root.show = () => made.forEach(([, show]) => show());
  }
  strips.add(root);
  root.show();
  draw();
  return () => strips.delete(root);
}

const percent = (name, label) => (change) => {
  const range = make("input", { type: "range", min: 0, max: 100, step: 1, ariaLabel: label }), output = make("output");
  range.oninput = () => change(name, Number(range.value));
  const show = () => {
    range.value = page.look[name];
    output.textContent = `${page.look[name]} %`;
  };
  return [make("label", {}, label, range, output), show];
};

const CONTROLS = {
  opacity: percent("opacity", "Opacity"),
  opacity_a: percent("opacity_a", "Opacity of A"),
  opacity_b: percent("opacity_b", "Opacity of B"),
  colours(change) {
    const options = Object.keys(tables).map((name) => make("option", { value: name, textContent: name }));
    const select = make("select", { ariaLabel: "Colours" }, ...options);
    select.onchange = () => change("colours", select.value);
    return [make("label", {}, "Colours", select), () => (select.value = page.look.colours)];
  },
  scale(change) {
    const options = [["own", "own"], ["shared", "shared"]];
    const group = radios("Scale", options, page.look.scale, (value) => change("scale", value));
    return [make("div", { className: "control" }, "Scale", group), () => group.check(page.look.scale)];
  },
  region(change) {
    const box = make("input", { type: "checkbox" });
    box.onchange = () => change("region", box.checked);
    return [make("label", {}, box, "True region"), () => (box.checked = page.look.region)];
  },
};
