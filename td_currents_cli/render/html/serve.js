// The page of `serve`, live. Whatever comes from the data becomes text of an element, never markup.

const byId = (id) => document.getElementById(id);
const WORDS = JSON.parse(byId("live").dataset.words);
const SVG = "http://www.w3.org/2000/svg";
const FOLLOW_EVERY = 3000; // milliseconds between payloads that are shown by themselves

// Text as on a terminal: characters that are not seen, or change the direction of writing, as escapes.
const INVISIBLE = /[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/gu;
const NAMED = { "\n": "\\n", "\t": "\\t", "\r": "\\r" };
function visible(text) {
  return String(text).replace(INVISIBLE, (found) => {
    const code = found.codePointAt(0);
    const [letter, digits] = code < 0x100 ? ["x", 2] : code < 0x10000 ? ["u", 4] : ["U", 8];
    return NAMED[found] ?? `\\${letter}${code.toString(16).padStart(digits, "0")}`;
  });
}

// An element with attributes and children; strings become text.
function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes)) {
    if (value === true) made.setAttribute(attribute, "");
    else if (value !== false && value !== undefined) made.setAttribute(attribute, value);
  }
  made.append(...children.map((child) => (typeof child === "string" ? visible(child) : child)));
  return made;
}
const data = (text) => element("bdi", {}, String(text));
// A long name is broken after a dot, if it can be.
const dotted = (text) => [() => element("bdi", {}, ...text.split(/(?<=\.)/).flatMap((part) => [part, element("wbr")])), undefined, text];
function svg(name, attributes, text) {
  const made = document.createElementNS(SVG, name);
  for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

const number = (value) => value.toLocaleString("en-US");
const amount = (value, noun) => `${number(value)} ${noun}${value === 1 ? "" : "s"}`;
const percent = (part) => `${(100 * part).toFixed(1)} %`;
const shortType = (name) => name.split(".").slice(-2).join("."); // as on a terminal
const clock = (at, seconds = true) =>
  new Date(1000 * at).toLocaleTimeString("en-GB", seconds ? {} : { hour: "2-digit", minute: "2-digit" });
const day = (at) => new Date(1000 * at).toLocaleDateString("en-GB", { day: "numeric", month: "short", year: "numeric" });

// A table whose rows stay the same elements while their items last: focus and selection survive an update.
class Table {
  constructor(id, title, columns, key) {
    this.columns = columns;
    this.key = key;
    this.title = title;
    this.section = byId(id);
    this.rows = new Map();
    this.body = element("tbody");
    this.none = element("p", { class: "none" }, `${title}: no data`);
    this.heads = columns.map(([head, kind]) => element("th", { scope: "col", class: kind }, head));
    const table = element("table", {}, element("caption", {}, title),
      element("thead", {}, element("tr", {}, ...this.heads)), this.body);
    this.box = element("div", { class: "scroll list", tabindex: "0", role: "region", "aria-label": title }, table);
    this.section.replaceChildren(this.box, this.none);
  }

  show(items) {
    const keys = new Set();
    let place = this.body.firstElementChild;
    for (const item of items) {
      const key = this.key(item);
      keys.add(key);
      let row = this.rows.get(key);
      if (!row) {
        const cells = this.columns.map(([, kind], index) => element(index ? "td" : "th", index ? { class: kind } : { scope: "row", class: kind }));
        row = element("tr", {}, ...cells);
        this.rows.set(key, row);
      }
      this.columns.forEach(([, , cell], index) => fill(row.children[index], cell(item)));
      row.dataset.text = row.textContent.toLowerCase();
      if (row === place) place = place.nextElementSibling;
      else this.body.insertBefore(row, place);
    }
    for (const [key, row] of this.rows) {
      // A row that has the focus stays until the focus leaves it.
      if (!keys.has(key) && !row.contains(document.activeElement)) {
        row.remove();
        this.rows.delete(key);
      }
    }
    this.filter();
  }

  filter() {
    let matching = 0;
    for (const row of this.rows.values()) {
      row.hidden = !row.dataset.text.includes(filterText);
      matching += !row.hidden;
    }
    this.box.hidden = !matching;
    this.none.hidden = matching > 0;
    this.none.textContent = this.rows.size ? `${this.title}: no row matches the filter` : `${this.title}: no data`;
    return matching;
  }
}

// Sets what a cell contains, unless it is the same: [content, class, key] or content; a key stands for the content.
function fill(cell, content) {
  const [inner, kind, key] = Array.isArray(content) ? content : [content];
  const same = String(key ?? inner);
  if (kind !== undefined && cell.dataset.kind !== kind) {
    if (cell.dataset.kind) cell.classList.remove(cell.dataset.kind);
    if (kind) cell.classList.add(kind);
    cell.dataset.kind = kind;
  }
  if (cell.dataset.same === same) return;
  cell.dataset.same = same;
  cell.replaceChildren(inner instanceof Function ? inner() : data(inner));
}

function bar(part) {
  const width = `${(100 * part).toFixed(2)}%`;
  return [() => {
    const drawn = svg("svg", { class: "bar", "aria-hidden": "true", focusable: "false" });
    drawn.append(svg("rect", { width, height: "100%" }));
    return drawn;
  }, undefined, width];
}

function result(request) {
  const words = [WORDS.results[request.result] ?? request.result, request.reason].filter(Boolean).join(": ");
  const fault = request.fault && !request.reason.includes(request.fault) ? `, fault ${request.fault}` : "";
  return [words + fault, ["stored", "connection_test"].includes(request.result) ? "" : "warning"];
}

function problems({ errors, warnings }) {
  if (errors === null || warnings === null) return ["not checked yet", "dim"];
  if (!errors && !warnings) return ["none", "ok"];
  const words = [[errors, "error"], [warnings, "warning"]].filter(([count]) => count);
  return [words.map(([count, noun]) => amount(count, noun)).join(", "), errors ? "error" : "warning"];
}

const link = (item) => [() => {
  const made = element("a", { href: `/api/payloads/${item.number}`, "aria-label": `Show payload ${item.number}` }, String(item.number));
  made.addEventListener("click", (event) => {
    event.preventDefault();
    follow(false);
    openPayload(item.number, made);
  });
  return made;
}, undefined, `link ${item.number}`];

const requestColumns = [
  ["request", "number", (item) => (item.has_payload ? link(item) : String(item.number))],
  ["time", "short", (item) => clock(item.at)],
  ["path", "words", (item) => `${item.method} ${item.target.replace(WORDS.path_start, "…/")}`],
  ["status", "number", (item) => String(item.status ?? "no response")],
  ["result", "words", result],
];
let total = 1, most = 1;
const tables = {
  types: new Table("types", "Stored events by type", [
    ["event type", "words", (item) => dotted(item.event_type)],
    ["", "graphic", (item) => bar(item.events / most)],
    ["events", "number", (item) => number(item.events)],
    ["share", "number", (item) => percent(item.events / total)],
  ], (item) => item.key ?? item.event_type),
  not_stored: new Table("not-stored", "Latest requests that were not stored", requestColumns, (item) => item.number),
  requests: new Table("requests", "Latest requests", requestColumns, (item) => item.number),
  payloads: new Table("payloads", "Latest payloads", [
    ["payload", "number", link],
    ["time", "short", (item) => clock(item.at)],
    ["problems", "short", problems],
    ["event types", "words", (item) => item.event_types.map((each) => `${shortType(each.event_type)} (${number(each.events)})`).join(", ")],
    ["events", "number", (item) => (item.events === null ? "" : number(item.events))],
    ["bytes", "number", (item) => number(item.size)],
  ], (item) => item.number),
};

function show(summary) {
  const { totals } = summary;
  // Numbers begin again with another run of the server.
  if (lastSummary && lastSummary.started !== summary.started) shown = 0;
  const figures = [totals.events, totals.stored, totals.requests, totals.not_stored];
  document.querySelectorAll(".figures > div").forEach((figure, index) => {
    figure.querySelector("dd").textContent = number(figures[index]);
    if (index === 3) figure.className = totals.not_stored ? "warning" : "";
  });
  byId("empty").hidden = summary.requests.length > 0;
  const types = [...summary.event_types];
  if (summary.other_event_types) types.push({ key: 0, event_type: WORDS.other_types, events: summary.other_event_types });
  if (summary.without_event_type) types.push({ key: 1, event_type: WORDS.no_type, events: summary.without_event_type });
  total = types.reduce((sum, each) => sum + each.events, 0);
  most = Math.max(1, ...types.map((each) => each.events));
  tables.types.heads[1].replaceChildren(element("span", {}, "0"), element("span", {}, number(most)));
  tables.types.show(types);
  tables.not_stored.show(summary.not_stored);
  tables.requests.show(summary.requests);
  tables.payloads.show(summary.payloads);
  showMatches();
  drawTimeline(summary);
  const latest = summary.payloads[0];
  if (following && latest && latest.number !== shown && Date.now() - followedAt > FOLLOW_EVERY) {
    followedAt = Date.now();
    openPayload(latest.number);
  }
  markShown();
}

// Events over time

const HEIGHT = 180, TOP = 22;
let scale = "last_minutes", lastSummary = null;
const scaleButtons = Object.entries({ last_minutes: "2 minutes", last_hours: "2 hours" }).map(([name, words]) => {
  const button = element("button", { type: "button", "aria-pressed": String(name === scale) }, words);
  button.addEventListener("click", () => {
    scale = name;
    scaleButtons.forEach((each) => each.setAttribute("aria-pressed", String(each === button)));
    if (lastSummary) drawTimeline(lastSummary);
  });
  return button;
});
const caption = element("figcaption");
const noEvents = element("p", { class: "none" }, "No events in this time.");
const levels = svg("svg", { class: "levels", "aria-hidden": "true", focusable: "false" });
const bars = svg("svg", { class: "bars", role: "img" });
const plot = element("div", { class: "plot" }, levels, bars);
byId("timeline").append(element("figure", { class: "time-chart" }, caption,
  element("div", { class: "tools" }, element("span", { class: "hint" }, "Show the last"), ...scaleButtons), plot, noEvents));
byId("timeline").hidden = false;

function stepOf(highest) {
  for (let power = 1; ; power *= 10) {
    for (const factor of [1, 2, 5]) if (highest <= factor * power * 4) return factor * power;
  }
}

function drawTimeline(summary) {
  lastSummary = summary;
  const { begin, seconds, events } = summary[scale];
  const isSeconds = seconds === 1;
  const unit = isSeconds ? "second" : "minute";
  const highest = Math.max(...events);
  const peak = clock(begin + seconds * events.indexOf(highest), isSeconds);
  caption.textContent = `Stored events per ${unit}, ${day(summary.now)}`;
  noEvents.hidden = highest > 0;
  plot.hidden = highest === 0;
  if (!highest) return;
  bars.setAttribute("aria-label", `${caption.textContent}: ${amount(events.reduce((sum, each) => sum + each), "event")} in the last ` +
    `${events.length} ${unit}s; the highest number is ${number(highest)} at ${peak}.`);
  const step = stepOf(highest), top = Math.ceil(highest / step) * step, place = 100 / events.length;
  const heightOf = (value) => (HEIGHT * value) / top;
  const drawn = [], labels = [];
  for (let level = 0; level <= top; level += step) {
    const y = TOP + HEIGHT - heightOf(level);
    labels.push(svg("text", { x: "100%", dx: -6, y, dy: 4, "text-anchor": "end" }, number(level)));
    drawn.push(svg("line", { x1: 0, x2: "100%", y1: y, y2: y, class: level ? "" : "zero" }));
  }
  events.forEach((value, index) => {
    if (!value) return;
    const height = Math.max(heightOf(value), 1);
    const rect = svg("rect", { x: `${place * (index + 0.1)}%`, width: `${place * 0.8}%`, y: TOP + HEIGHT - height, height });
    rect.append(svg("title", {}, `${clock(begin + seconds * index, isSeconds)}: ${amount(value, "event")}`));
    drawn.push(rect);
  });
  const middle = place * (events.indexOf(highest) + 0.5);
  drawn.push(svg("text", { x: `${middle}%`, y: TOP + HEIGHT - heightOf(highest), dy: -5, class: "value",
    "text-anchor": middle > 90 ? "end" : middle < 10 ? "start" : "middle" }, number(highest)));
  for (const part of bars.clientWidth < 450 ? [0, 0.5, 1] : [0, 0.25, 0.5, 0.75, 1]) {
    const anchor = part === 0 ? "start" : part === 1 ? "end" : "middle";
    drawn.push(svg("text", { x: `${100 * part}%`, y: "100%", dy: -4, "text-anchor": anchor },
      clock(begin + seconds * events.length * part, isSeconds)));
  }
  levels.replaceChildren(...labels);
  bars.replaceChildren(...drawn);
}

// One payload

const panel = byId("payload");
let shown = 0, opener = null, following = true, followedAt = 0, requested = 0;
const followButton = element("button", { type: "button", "aria-pressed": "true", "aria-keyshortcuts": "f" }, "Follow the latest");
followButton.addEventListener("click", () => follow(!following));
const title = element("h2", { id: "payload-title", tabindex: "-1" });
const content = element("div");
panel.append(title, element("div", { class: "tools" }, followButton), content);
// Whoever reads or unfolds a payload keeps it.
content.addEventListener("click", () => follow(false));
content.addEventListener("keydown", (event) => event.key === "Tab" || follow(false));

function follow(on) {
  following = on;
  followedAt = 0;
  followButton.setAttribute("aria-pressed", String(on));
  if (on && lastSummary && source) show(lastSummary);
}

function markShown() {
  for (const [key, row] of tables.payloads.rows) {
    if (key === shown) row.setAttribute("aria-current", "true");
    else row.removeAttribute("aria-current");
  }
}

async function openPayload(payload, from = null) {
  const mine = ++requested;
  let response, found;
  try {
    response = await fetch(`/api/payloads/${payload}`);
    found = await response.json();
  } catch {
    found = { error: "the server does not respond" };
  }
  // The latest may no longer be kept: there are later ones.
  if (mine !== requested || (found.error && !from)) return;
  shown = payload;
  panel.hidden = false;
  title.textContent = `Payload ${payload}`;
  content.replaceChildren(...(found.error ? [element("p", { class: "note error" }, found.error)] : payloadView(found)));
  markShown();
  if (from) {
    opener = from;
    title.focus();
  }
}

function payloadView(found) {
  const { request } = found;
  const [words, kind] = result(request);
  const parts = [
    element("p", {}, `${clock(request.at)}, ${number(request.size)} bytes, ${request.status ?? "no response"}, `,
      element("span", { class: `count ${kind}` }, words)),
    element("p", {}, data(`${request.method} ${request.target}`)),
  ];
  const places = new Map();
  const shownTree = found.tree && tree(found, places);
  if (found.problems_total) {
    const left = found.problems_total - found.problems.length;
    const severities = [[found.errors, "error"], [found.warnings, "warning"], [found.problems_total - found.errors - found.warnings, "info"]];
    parts.push(element("h3", {}, severities.filter(([count]) => count).map(([count, noun]) => amount(count, noun)).join(", ")),
      element("ol", { class: "problems" }, ...found.problems.map((problem) => problemButton(problem, places)),
        ...(left ? [element("li", { class: "none" }, `… and ${number(left)} more`)] : [])));
  } else {
    parts.push(element("p", { class: "note ok" }, "No problems."));
  }
  if (shownTree) parts.push(element("h3", {}, "Content"), element("div", { class: "content" }, shownTree));
  else if (found.text !== null) parts.push(element("h3", {}, "Content"), element("pre", { tabindex: "0" }, data(found.text)));
  else parts.push(element("p", { class: "none" }, "The body is not JSON; it may contain personal data, and is not shown."));
  return parts;
}

function problemButton(problem, places) {
  const button = element("button", { type: "button" }, element("code", {}, problem.code), ` ${problem.severity}: `,
    data(problem.message), " ", element("code", {}, data(problem.pointer)));
  button.addEventListener("click", () => reveal(problem.pointer, places));
  return element("li", { class: problem.severity }, button);
}

// Unfolds a tree down to a place, and moves the focus there.
function reveal(pointer, places) {
  let target = null;
  for (let end = 0; end >= 0; end = pointer.indexOf("/", end + 1)) {
    target = places.get(pointer.slice(0, end)) ?? target;
    target?.unfold?.();
  }
  target = places.get(pointer) ?? target;
  if (target) {
    target.unfold?.();
    target.focus.focus();
    target.focus.scrollIntoView({ block: "nearest" });
  }
}

function tree(found, places) {
  const first = found.tree.kind === "array" ? found.tree : found.tree.children?.find((each) => each.name === "events");
  const open = new Set([found.tree, first, first?.children?.find((each) => each.errors || each.warnings)]);
  return element("ul", { class: "tree" }, branch(found.tree, found, places, open));
}

function branch(node, found, places, open, index) {
  const name = node.name ?? (index === undefined ? null : String(index));
  const label = [];
  if (name !== null) label.push(element("span", { class: "name" }, data(name)), ": ");
  const mine = (node.problems ?? []).map((each) => found.problems[each]);
  const messages = mine.map((problem) => element("span", { class: `problem ${problem.severity}` },
    `${problem.severity} ${problem.code}: `, data(problem.message), ...(problem.hint ? [" ", data(problem.hint)] : [])));
  if (node.kind !== "object" && node.kind !== "array") {
    const text = node.kind === "string" ? `"${node.text}"` : node.text;
    const value = node.hidden ? element("span", { class: "hidden" }, "hidden") : data(text);
    const cut = node.cut ? [element("span", { class: "cut" }, ` … and ${amount(node.cut, "character")}`)] : [];
    const leaf = element("div", { class: "leaf", tabindex: mine.length ? "0" : undefined }, ...label, value, ...cut);
    places.set(node.pointer ?? "", { focus: leaf });
    return element("li", {}, leaf, ...messages);
  }
  if (node.label) label.push(data(node.label), " ");
  const unit = node.kind === "array" ? "element" : "field";
  label.push(element("span", { class: "size" }, amount(node.size ?? 0, unit)));
  for (const [count, noun] of [[node.errors, "error"], [node.warnings, "warning"]]) {
    if (count) label.push(" ", element("span", { class: `count ${noun}` }, amount(count, noun)));
  }
  const summary = element("summary", {}, ...label);
  const inside = element("ul");
  const details = element("details", {}, summary, inside);
  // What is below is made when it is first seen.
  const unfold = () => {
    details.open = true;
    if (inside.firstChild) return;
    const children = node.children ?? [];
    inside.append(...children.map((child, at) => branch(child, found, places, open, child.name === undefined ? at : undefined)));
    if (children.length < (node.size ?? 0)) {
      inside.append(element("li", { class: "none" }, `… ${number(node.size - children.length)} more not shown`));
    }
  };
  details.addEventListener("toggle", () => details.open && unfold());
  places.set(node.pointer ?? "", { focus: summary, unfold });
  if (open.has(node)) unfold();
  return element("li", {}, details, ...messages);
}

// Filter, pause, keys

let filterText = "";
const filter = byId("filter");
function showMatches() {
  const matching = Object.values(tables).reduce((sum, table) => sum + table.filter(), 0);
  byId("matches").textContent = filterText ? amount(matching, "row") : "";
}
filter.addEventListener("input", () => {
  filterText = visible(filter.value.trim()).toLowerCase();
  showMatches();
});

const state = byId("state"), pause = byId("pause");
let source = null;
function say(words, kind) {
  if (state.textContent !== words) state.textContent = words;
  state.className = kind;
}

function connect() {
  source = new EventSource("/api/stream");
  source.addEventListener("summary", (event) => {
    say("Live", "live");
    show(JSON.parse(event.data));
  });
  source.addEventListener("error", () => {
    say("Disconnected: the server does not respond. Trying again.", "lost");
    // Browsers give up after an answer that is not a stream.
    if (source?.readyState === EventSource.CLOSED) setTimeout(() => source && connect(), 2000);
  });
}

function setPaused(on) {
  pause.setAttribute("aria-pressed", String(on));
  pause.textContent = on ? "Resume" : "Pause";
  source?.close();
  source = null;
  if (on) say(`Paused at ${clock(Date.now() / 1000)}`, "");
  else connect();
}
pause.addEventListener("click", () => setPaused(source !== null));
byId("controls").addEventListener("submit", (event) => event.preventDefault());

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const isTyping = event.target === filter;
  if (event.key === "Escape") {
    if (isTyping || filter.value) {
      filter.value = "";
      filter.dispatchEvent(new Event("input"));
    } else if (panel.contains(event.target)) {
      opener?.focus();
    }
  } else if (!isTyping && event.key === "/") {
    event.preventDefault();
    filter.focus();
  } else if (!isTyping && event.key === "p") {
    setPaused(source !== null);
  } else if (!isTyping && event.key === "f") {
    follow(!following);
  }
});

byId("controls").hidden = false;
byId("keys").hidden = false;
connect();
