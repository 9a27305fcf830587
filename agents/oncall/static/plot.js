// Draws the past of a stream: scores, risk and windows as lines, thresholds across, decisions as
// marks. The page says the same in words without it. A series is hidden and shown by a button below.
(function () {
  "use strict";

  const place = document.getElementById("plot");
  const legend = document.getElementById("plot-legend");
  const status = document.getElementById("plot-status");
  if (!place || !window.uPlot) return;

  const HEIGHT = 360;
  const TIMES_HEIGHT = 50;
  const NARROW = 280;
  // Told apart by hue and by dash: by neither alone.
  const HUES = [0, 210, 275, 150, 35, 320, 95];
  const DASHES = [[], [8, 3], [2, 3], [8, 3, 2, 3]];
  const REFRESH_MS = 15000;
  const MOST_LABELS = 6;
  const FIFTHS = [0, 0.2, 0.4, 0.6, 0.8, 1];
  const MOST_CHARACTERS = 48;
  const LINE = 15;

  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  let plot = null;
  let told = null;
  // By label: what somebody hid or asked for stays so as the data change.
  const chosen = new Map();
  const buttons = new Map();

  function ink(name) {
    return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  }

  function lineOf(series, number) {
    const single = !series.measure.includes("/") && series.measure !== "risk";
    return {
      label: series.label,
      stroke: `hsl(${HUES[number % HUES.length]} 65% ${dark.matches ? 70 : 38}%)`,
      dash: DASHES[Math.floor(number / 2) % DASHES.length],
      width: series.measure === "risk" ? 2.5 : 1.25,
      spanGaps: !single,
      points: { show: single, size: 4 },
    };
  }

  function drawOver(drawn) {
    const { ctx, bbox } = drawn;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    ctx.textAlign = "left";
    ctx.textBaseline = "alphabetic";
    ctx.font = `${12 * devicePixelRatio}px sans-serif`;
    ctx.lineWidth = devicePixelRatio;
    ctx.strokeStyle = ctx.fillStyle = ink("--quiet");
    ctx.setLineDash([4 * devicePixelRatio, 4 * devicePixelRatio]);
    let above = -Infinity;
    let right = 0;
    let bounds = 0;
    for (const [value, words] of boundsByValue(drawn)) {
      bounds += words.length;
      const y = drawn.valToPos(value, "y", true);
      stroke(ctx, bbox.left, y, bbox.left + bbox.width, y);
      // Bounds that lie close together have their words beside each other, not on each other.
      const shift = Math.abs(y - above) < LINE * devicePixelRatio ? right : 0;
      const text = words.join("; ");
      ctx.fillText(text, bbox.left + 4 + shift, y - 4);
      above = y;
      right = shift + ctx.measureText(text).width + 12 * devicePixelRatio;
    }
    ctx.strokeStyle = ctx.fillStyle = ink("--grave");
    ctx.setLineDash([]);
    let marks = 0;
    told.plot.marks.forEach((mark, number) => {
      const x = drawn.valToPos(mark.at, "x", true);
      marks += x >= bbox.left && x <= bbox.left + bbox.width;
      stroke(ctx, x, bbox.top, x, bbox.top + bbox.height);
      // What happened last is told to the left of its line: there is no room on the other side.
      const late = x > bbox.left + bbox.width * 0.6;
      ctx.textAlign = late ? "right" : "left";
      const y = bbox.top + ((number % MOST_LABELS) + 1) * LINE * devicePixelRatio;
      ctx.fillText(mark.label.slice(0, MOST_CHARACTERS), late ? x - 4 : x + 4, y);
    });
    ctx.restore();
    // A canvas says nothing of what is on it: how much of each was drawn is told beside it.
    Object.assign(place.dataset, { series: drawn.series.length - 1, bounds, marks });
  }

  function clock(seconds) {
    return seconds === null ? "–" : new Date(seconds * 1000).toISOString().slice(11, 19);
  }

  // Those of the series that are shown, from the lowest. Of one value they are one line.
  function boundsByValue(drawn) {
    const shown = new Set(drawn.series.filter((it) => it.show).map((it) => it.label));
    const found = new Map();
    for (const { value, label, rule } of told.plot.bounds) {
      if (shown.has(label)) {
        found.set(value, [...(found.get(value) || []), `${label} ${value} (${rule})`]);
      }
    }
    return [...found].sort(([one], [other]) => one - other);
  }

  function stroke(ctx, fromX, fromY, toX, toY) {
    ctx.beginPath();
    ctx.moveTo(fromX, fromY);
    ctx.lineTo(toX, toY);
    ctx.stroke();
  }

  function width() {
    return Math.max(place.clientWidth, NARROW);
  }

  // The lines end at 1; what happened is written above them, in lines of its own.
  function highest() {
    const room = HEIGHT - TIMES_HEIGHT;
    const head = (Math.min(told.plot.marks.length, MOST_LABELS) + 0.5) * LINE;
    return (1.02 * room) / (room - head);
  }

  // Some are there only when asked for.
  function isShown(series) {
    return chosen.get(series.label) ?? series.at_first;
  }

  function toggle(label) {
    const number = plot.series.findIndex((it) => it.label === label);
    const show = !plot.series[number].show;
    chosen.set(label, show);
    buttons.get(label).setAttribute("aria-pressed", show);
    plot.setSeries(number, { show });
  }

  // Buttons stay as long as their series do, and with them whatever has the focus.
  function keyTo(lines) {
    for (const label of buttons.keys()) {
      if (!lines.some((it) => it.label === label)) {
        buttons.get(label).remove();
        buttons.delete(label);
      }
    }
    for (const { label, stroke, dash, width, show } of lines) {
      if (!buttons.has(label)) {
        const button = document.createElement("button");
        button.type = "button";
        button.innerHTML = '<svg width="28" height="8" aria-hidden="true"><path d="M0 4h28" fill="none"/></svg>';
        button.append(label, Object.assign(document.createElement("span"), { className: "at-cursor" }));
        button.addEventListener("click", () => toggle(label));
        buttons.set(label, button);
        legend.append(button);
      }
      const button = buttons.get(label);
      button.setAttribute("aria-pressed", show);
      const line = button.querySelector("path");
      for (const [name, value] of Object.entries({ stroke, "stroke-dasharray": dash.join(" "), "stroke-width": width })) {
        line.setAttribute(name, value);
      }
    }
  }

  // Values under the mouse, beside the names; the page has them in words for whoever has none.
  function tellValues({ cursor, data }) {
    told.plot.series.forEach(({ label }, number) => {
      const value = cursor.idx == null ? null : data[number + 1][cursor.idx];
      buttons.get(label).lastChild.textContent = value == null ? "" : value.toFixed(2);
    });
  }

  function draw() {
    const { times, series } = told.plot;
    const lines = series.map((it, number) => ({ ...lineOf(it, number), show: isShown(it) }));
    if (plot) plot.destroy();
    plot = null;
    keyTo(times.length ? lines : []);
    if (!times.length) {
      status.textContent = "No frame of these minutes was judged: there is nothing to draw.";
      return;
    }
    const axis = { stroke: ink("--quiet"), grid: { stroke: ink("--line") } };
    plot = new window.uPlot(
      {
        width: width(),
        height: HEIGHT,
        scales: { y: { range: [0, highest()] } },
        axes: [{ ...axis, space: 80, values: (_, at) => at.map(clock) }, { ...axis, splits: () => FIFTHS }],
        series: [{ label: "UTC" }, ...lines],
        legend: { show: false },
        hooks: { draw: [drawOver], setCursor: [tellValues] },
      },
      [times, ...series.map((it) => it.values)],
      place,
    );
    status.textContent = `As of ${clock(Date.now() / 1000)} UTC. A series is hidden and shown by its name below.`;
  }

  async function refresh() {
    if (!document.hidden) {
      try {
        const answer = await fetch(place.dataset.history, { headers: { Accept: "application/json" } });
        const body = await answer.json();
        if (!answer.ok) throw new Error(body.error || body.detail || `status ${answer.status}`);
        told = body;
        draw();
      } catch (error) {
        status.textContent = `The plot could not be brought up to date: ${error.message}`;
      }
    }
    window.setTimeout(refresh, REFRESH_MS);
  }

  window.addEventListener("resize", () => plot && plot.setSize({ width: width(), height: HEIGHT }));
  dark.addEventListener("change", () => told && draw());
  refresh();
})();
