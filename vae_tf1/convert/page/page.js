"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const model = JSON.parse($("model").textContent);
  const { D, M, height, width, prior, plane, units } = model;

  // The network ------------------------------------------------------------------------------

  function bytes(id) {
    const text = atob($(id).textContent.trim());
    const buffer = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) buffer[i] = text.charCodeAt(i);
    return buffer.buffer;
  }

  function floats(buffer, dtype) {
    if (dtype === "float32") return new Float32Array(buffer);
    const halves = new Uint16Array(buffer); // little endian, as every machine with a browser is
    const values = new Float32Array(halves.length);
    for (let i = 0; i < halves.length; i++) {
      const h = halves[i], sign = h & 0x8000 ? -1 : 1, e = (h >> 10) & 31, f = h & 1023;
      values[i] = sign * (e === 0 ? f * 2 ** -24 : e === 31 ? NaN : (1 + f / 1024) * 2 ** (e - 15));
    }
    return values;
  }

  function layersOf(shapes, values, start) {
    return shapes.map((shape) => {
      const [rows, columns, name, alpha] = shape;
      const W = values.subarray(start, start += rows * columns);
      const b = values.subarray(start, start += columns);
      return { rows, columns, W, b, f: activation(name, alpha), end: start };
    });
  }

  const softplus = (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
  const sigmoid = (x) => 0.5 * (1 + Math.tanh(0.5 * x));

  function activation(name, alpha) {
    return {
      identity: null,
      relu: (x) => (x > 0 ? x : 0),
      relu6: (x) => Math.min(Math.max(x, 0), 6),
      tanh: Math.tanh,
      sigmoid,
      elu: (x) => (x > 0 ? x : Math.expm1(x)),
      selu: (x) => 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * Math.expm1(x)),
      softplus,
      softsign: (x) => x / (1 + Math.abs(x)),
      swish: (x) => x * sigmoid(x),
      leaky_relu: (x) => (x > 0 ? x : alpha * x),
    }[name];
  }

  function through(layers, value) {
    for (const { rows, columns, W, b, f } of layers) {
      const sum = Float64Array.from(b);
      for (let i = 0, k = 0; i < rows; i++, k += columns) {
        const x = value[i];
        if (x === 0) continue; // half of what a relu gives, most of an image
        for (let j = 0; j < columns; j++) sum[j] += x * W[k + j];
      }
      if (f) for (let j = 0; j < columns; j++) sum[j] = f(sum[j]);
      value = sum;
    }
    return value;
  }

  const values = floats(bytes("weights"), model.dtype);
  const encoder = layersOf(model.encoder, values, 0);
  const decoder = layersOf(model.decoder, values, encoder[encoder.length - 1].end);

  /** Return means and standard deviations of q(z|x). */
  function encode(X) {
    const encoded = through(encoder, X);
    const spread = {
      softplus: (u) => softplus(u) + 1e-6,
      exp: Math.exp,
      exp_half: (u) => Math.exp(u / 2),
    }[model.stddev];
    return { means: encoded.slice(0, M), stddev: encoded.slice(M).map(spread) };
  }

  /** Return the probabilities of p(x|z). */
  const decode = (z) => through(decoder, z).map(sigmoid);

  /** Return the bound and its parts in nats, with `draws` draws of the code. */
  function elbo(X, draws) {
    const { means, stddev } = encode(X);
    const noise = normals(1);
    let likelihood = 0;
    for (let n = 0; n < draws; n++) {
      const logits = through(decoder, means.map((mean, i) => mean + stddev[i] * noise()));
      for (let i = 0; i < D; i++) likelihood += X[i] * logits[i] - softplus(logits[i]);
    }
    likelihood /= draws;
    if (!prior) return { means, stddev, likelihood };
    const [m, s] = prior;
    let kl = 0; // KL(N(means, stddev²) || N(m, s²))
    for (let i = 0; i < M; i++) {
      kl += Math.log(s / stddev[i]) + (stddev[i] ** 2 + (means[i] - m) ** 2) / (2 * s * s) - 0.5;
    }
    return { means, stddev, likelihood, kl, elbo: likelihood - kl };
  }

  /** Return a generator of standard normal numbers (Box–Muller over mulberry32). */
  function normals(seed) {
    const uniform = () => {
      seed = (seed + 0x6d2b79f5) | 0;
      let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
      t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
      return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
    };
    return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  }

  // The codes of the images ------------------------------------------------------------------

  const codes = floats(bytes("codes"), "float16");
  const { labels } = model;
  const digits = labels ? [...new Set(labels)].sort((a, b) => a - b) : [];

  /** Say which digit most of the nearest codes belong to. */
  function looksLike(z) {
    if (!labels) return "";
    const distances = labels.map((label, n) => {
      let d = 0;
      for (let i = 0; i < M; i++) d += (codes[n * M + i] - z[i]) ** 2;
      return [d, label];
    });
    const nearest = distances.sort((a, b) => a[0] - b[0]).slice(0, 10);
    const votes = new Map();
    for (const [, label] of nearest) votes.set(label, (votes.get(label) || 0) + 1);
    const [label, count] = [...votes].sort((a, b) => b[1] - a[1])[0];
    return `${count} of the ${nearest.length} nearest codes are of a ${label}`;
  }

  // Images -----------------------------------------------------------------------------------

  const style = () => getComputedStyle(document.documentElement);
  const colour = (name) => style().getPropertyValue(name).trim();
  const channels = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));
  let paper, ink;

  function show(canvas, image) {
    canvas.width = width;
    canvas.height = height;
    const context = canvas.getContext("2d");
    const data = context.createImageData(width, height);
    for (let i = 0; i < D; i++) {
      const p = Math.min(Math.max(image[i], 0), 1);
      for (let c = 0; c < 3; c++) data.data[4 * i + c] = Math.round(paper[c] + p * (ink[c] - paper[c]));
      data.data[4 * i + 3] = 255;
    }
    context.putImageData(data, 0, 0);
  }

  // The code, and who shows it ---------------------------------------------------------------

  let z = Float64Array.from(plane.origin);
  let drawnAt = null; // the drawing's code in the plane
  let pending = false;

  function setCode(next) {
    z = Float64Array.from(next);
    if (pending) return;
    pending = true;
    requestAnimationFrame(() => {
      pending = false;
      render();
    });
  }

  function render() {
    show($("decoded"), decode(z));
    drawPlane();
    moveSliders();
    describe();
  }

  const number = (x) => (Math.abs(x) < 0.005 ? 0 : x).toFixed(2).replace("-", "−");

  let describing = 0;
  function describe() {
    const [u, v] = toPlane(z);
    const where = plane.names[1]
      ? `${plane.names[0]} ${number(u)}, ${plane.names[1]} ${number(v)}`
      : `${plane.names[0]} ${number(u)}`;
    $("plane").setAttribute("aria-label", `Latent plane, at ${where}`);
    clearTimeout(describing);
    describing = setTimeout(() => { // sorting the codes takes longer than decoding
      const like = looksLike(z);
      $("described").textContent = like || where;
      $("decoded").setAttribute("aria-label", `Decoded image; ${like || where}`);
      $("live").textContent = like ? `${where}: ${like}` : where;
    }, 150);
  }

  // The plane --------------------------------------------------------------------------------

  /** Return a code's two coordinates in the plane. */
  function toPlane(code) {
    return plane.axes.map((axis) => {
      let sum = 0;
      for (let i = 0; i < M; i++) sum += (code[i] - plane.origin[i]) * axis[i];
      return sum;
    });
  }

  /** Return the code at a point of the plane. */
  const fromPlane = (u, v) =>
    plane.origin.map((x, i) => x + u * plane.axes[0][i] + v * plane.axes[1][i]);

  const palettes = {
    light: ["#1f6fb4", "#c2410c", "#2b7d32", "#b91c1c", "#7a4fb5", "#7b4b3a", "#be3d94", "#5f6368", "#83780a", "#0e7f8c"],
    dark: ["#74b8ff", "#ffa45c", "#7fd486", "#ff8a8a", "#c3a2f7", "#d3a593", "#ff9bdc", "#c4c9d1", "#ddd25a", "#66dbe6"],
  };
  const isDark = () => paper[0] < 128;
  const colourOf = (label) => palettes[isDark() ? "dark" : "light"][digits.indexOf(label) % 10];
  let scatter = null; // the codes, drawn once for each size and theme

  function place(u, v, size) {
    const [left, right, bottom, top] = plane.range;
    return [((u - left) / (right - left)) * size, ((top - v) / (top - bottom)) * size];
  }

  function drawScatter(pixels, ratio) {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = pixels;
    const context = canvas.getContext("2d");
    const size = pixels / ratio;
    context.scale(ratio, ratio);
    context.strokeStyle = colour("--line");
    context.lineWidth = 1;
    const [x, y] = place(0, 0, size);
    context.beginPath();
    context.moveTo(x, 0), context.lineTo(x, size), context.moveTo(0, y), context.lineTo(size, y);
    context.stroke();
    context.font = `600 ${size < 400 ? 9 : 10.5}px system-ui, sans-serif`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.globalAlpha = 0.75;
    plane.points.forEach(([u, v], n) => {
      const at = place(u, v, size);
      if (labels) {
        context.fillStyle = colourOf(labels[n]);
        context.fillText(labels[n], ...at);
      } else {
        context.fillStyle = colour("--quiet");
        context.beginPath();
        context.arc(...at, 2, 0, 7);
        context.fill();
      }
    });
    return canvas;
  }

  function drawPlane() {
    const canvas = $("plane"), ratio = window.devicePixelRatio || 1;
    const pixels = Math.round(canvas.clientWidth * ratio);
    if (!pixels) return;
    if (!scatter || scatter.width !== pixels) {
      canvas.width = canvas.height = pixels;
      scatter = drawScatter(pixels, ratio);
    }
    const context = canvas.getContext("2d"), size = pixels / ratio;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.fillStyle = colour("--card");
    context.fillRect(0, 0, pixels, pixels);
    context.drawImage(scatter, 0, 0);
    context.scale(ratio, ratio);
    if (drawnAt) mark(context, place(...drawnAt, size), size, 5, colour("--text"), colour("--card"));
    mark(context, place(...toPlane(z), size), size, 10, colour("--accent"), colour("--card"));
  }

  /** Draw a ring; one that lies outside is drawn at the edge. */
  function mark(context, [x, y], size, radius, fill, halo) {
    x = Math.min(Math.max(x, radius), size - radius);
    y = Math.min(Math.max(y, radius), size - radius);
    for (const [line, style] of [[6, halo], [3, fill]]) {
      context.lineWidth = line;
      context.strokeStyle = style;
      context.beginPath();
      context.arc(x, y, radius, 0, 7);
      context.stroke();
    }
  }

  function goTo(u, v) {
    const [left, right, bottom, top] = plane.range;
    setCode(fromPlane(
      Math.min(Math.max(u, left), right),
      plane.names[1] ? Math.min(Math.max(v, bottom), top) : 0,
    ));
  }

  function watchPlane() {
    const canvas = $("plane");
    const [left, right, bottom, top] = plane.range;
    const follow = (event) => {
      const box = canvas.getBoundingClientRect();
      const x = (event.clientX - box.left) / box.width, y = (event.clientY - box.top) / box.height;
      goTo(left + x * (right - left), top - y * (top - bottom));
    };
    canvas.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      canvas.setPointerCapture(event.pointerId);
      follow(event);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (canvas.hasPointerCapture(event.pointerId)) follow(event);
    });
    canvas.addEventListener("keydown", (event) => {
      const step = (right - left) / (event.shiftKey ? 12 : 60);
      const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
      if (event.key === "Home") goTo(0, 0);
      else if (moves[event.key]) {
        const [u, v] = toPlane(z), [du, dv] = moves[event.key];
        goTo(u + du * step, v + dv * step);
      } else return;
      event.preventDefault();
    });
    new ResizeObserver(() => { if (!pending) drawPlane(); }).observe(canvas);
  }

  // The sliders ------------------------------------------------------------------------------

  const sliders = units.map(({ index, low, high }, n) => {
    const label = document.createElement("label");
    const slider = document.createElement("input");
    const output = document.createElement("output");
    Object.assign(slider, { type: "range", id: `unit-${n}`, min: low, max: high, step: 0.01 });
    label.htmlFor = output.htmlFor = slider.id;
    label.textContent = `z${index + 1}`;
    slider.setAttribute("aria-label", `Unit ${index + 1} of the code`);
    slider.addEventListener("input", () => {
      const next = z.slice();
      next[index] = Number(slider.value);
      setCode(next);
    });
    $("sliders").append(label, slider, output);
    return { index, slider, output };
  });

  function moveSliders() {
    for (const { index, slider, output } of sliders) {
      slider.value = z[index];
      output.textContent = number(z[index]);
    }
  }

  // The drawing ------------------------------------------------------------------------------

  const drawing = new Float32Array(D);
  const pen = { x: (width - 1) / 2, y: (height - 1) / 2, down: false, shown: false };
  const brush = Math.max(Math.min(width, height) / 28, 0.5); // its radius, in pixels of the image
  let thinking = false;

  function dab(x, y) {
    for (let r = 0; r < height; r++) {
      for (let c = 0; c < width; c++) {
        const distance = Math.hypot(c - x, r - y) / brush;
        drawing[r * width + c] = Math.max(drawing[r * width + c], Math.min(Math.max(1.75 - distance, 0), 1));
      }
    }
  }

  function stroke(x0, y0, x1, y1) {
    const steps = Math.max(Math.ceil(Math.hypot(x1 - x0, y1 - y0) * 2), 1);
    for (let k = 0; k <= steps; k++) dab(x0 + ((x1 - x0) * k) / steps, y0 + ((y1 - y0) * k) / steps);
  }

  /** Return the drawing as the model's images are: its centre of mass in the middle (MNIST). */
  function seen() {
    let mass = 0, r0 = 0, c0 = 0;
    drawing.forEach((p, i) => {
      mass += p;
      r0 += p * Math.floor(i / width);
      c0 += p * (i % width);
    });
    const image = new Float32Array(D);
    if (!mass) return image;
    const dr = model.centred ? Math.round((height - 1) / 2 - r0 / mass) : 0;
    const dc = model.centred ? Math.round((width - 1) / 2 - c0 / mass) : 0;
    const edge = $("binary").checked;
    drawing.forEach((p, i) => {
      const r = Math.floor(i / width) + dr, c = (i % width) + dc;
      if (r >= 0 && r < height && c >= 0 && c < width) {
        image[r * width + c] = edge ? Number(p > 0.5) : p;
      }
    });
    return image;
  }

  /** Encode the drawing; `draws` is how many draws of the code the ELBO is the mean of. */
  function think(draws) {
    const blank = drawing.every((p) => p === 0);
    const image = seen();
    showPad();
    show($("seen"), image);
    if (blank) {
      drawnAt = null;
      show($("reconstruction"), image);
      for (const id of ["elbo", "likelihood", "kl"]) $(id).textContent = "–";
      $("code").textContent = "";
      return;
    }
    const found = elbo(image, draws);
    show($("reconstruction"), decode(found.means));
    $("elbo").textContent = prior ? number(found.elbo) : "not known";
    $("likelihood").textContent = number(found.likelihood);
    $("kl").textContent = prior ? number(found.kl) : "not known";
    $("code").replaceChildren(...units.map(({ index }) => {
      const item = document.createElement("span"), name = document.createElement("b");
      name.textContent = `z${index + 1}`;
      item.append(name, `${number(found.means[index])} ± ${number(found.stddev[index])}`);
      return item;
    }));
    drawnAt = toPlane(found.means);
    setCode(found.means);
    if (draws > 20) $("reconstruction").setAttribute("aria-label", `Reconstruction of the drawing; ${looksLike(found.means)}`);
  }

  function thinkSoon() {
    if (thinking) return;
    thinking = true;
    requestAnimationFrame(() => {
      thinking = false;
      think(4);
    });
  }

  function showPad() {
    show($("pad"), drawing);
    if (!pen.shown) return;
    const context = $("pad").getContext("2d");
    context.fillStyle = colour("--accent");
    context.globalAlpha = pen.down ? 1 : 0.6;
    context.fillRect(Math.round(pen.x), Math.round(pen.y), 1, 1);
  }

  function watchPad() {
    const canvas = $("pad");
    let last = null;
    const at = (event) => {
      const box = canvas.getBoundingClientRect();
      return [((event.clientX - box.left) / box.width) * width - 0.5, ((event.clientY - box.top) / box.height) * height - 0.5];
    };
    canvas.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      canvas.setPointerCapture(event.pointerId);
      pen.shown = false;
      last = at(event);
      stroke(...last, ...last);
      thinkSoon();
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!last || !canvas.hasPointerCapture(event.pointerId)) return;
      const events = event.getCoalescedEvents ? event.getCoalescedEvents() : [];
      for (const moved of events.length ? events : [event]) {
        const next = at(moved);
        stroke(...last, ...next);
        last = next;
      }
      thinkSoon();
    });
    const end = () => {
      if (last) requestAnimationFrame(() => think(200));
      last = null;
    };
    canvas.addEventListener("pointerup", end);
    canvas.addEventListener("pointercancel", end);
    canvas.addEventListener("keydown", (event) => {
      const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
      if (moves[event.key]) {
        const x = Math.min(Math.max(pen.x + moves[event.key][0], 0), width - 1);
        const y = Math.min(Math.max(pen.y + moves[event.key][1], 0), height - 1);
        if (pen.down) stroke(pen.x, pen.y, x, y);
        Object.assign(pen, { x, y, shown: true });
      } else if (event.key === " ") {
        pen.down = !pen.down;
        pen.shown = true;
        if (pen.down) dab(pen.x, pen.y);
        $("live").textContent = pen.down ? "Pen down" : "Pen up";
      } else if (event.key === "Delete" || event.key === "Backspace") clear();
      else return;
      event.preventDefault();
      think(pen.down ? 4 : 200);
    });
    canvas.addEventListener("blur", () => {
      pen.shown = pen.down = false;
      showPad();
    });
    $("clear").addEventListener("click", () => { clear(); think(1); drawPlane(); });
    $("binary").addEventListener("change", () => think(200));
    let next = 0;
    $("example").hidden = !model.examples.length;
    $("example").addEventListener("click", () => {
      const { label, image } = model.examples[next++ % model.examples.length];
      drawing.set(floats(Uint8Array.from(atob(image), (c) => c.charCodeAt(0)).buffer, "float16"));
      think(200);
      $("live").textContent = label === null ? "An example is shown" : `An example of a ${label} is shown`;
    });
  }

  function clear() {
    drawing.fill(0);
    $("live").textContent = "The pad is empty";
  }

  // The prior --------------------------------------------------------------------------------

  const normal = normals(crypto.getRandomValues(new Uint32Array(1))[0]);
  let samples = [];

  function sample() {
    samples = Array.from({ length: 16 }, () =>
      Float64Array.from({ length: M }, () => prior[0] + prior[1] * normal()));
    $("samples").replaceChildren(...samples.map((code, n) => {
      const button = document.createElement("button"), canvas = document.createElement("canvas");
      button.type = "button";
      canvas.className = "image";
      button.setAttribute("aria-label", `Sample ${n + 1}: ${looksLike(code) || "go to its code"}`);
      button.addEventListener("click", () => setCode(code));
      button.append(canvas);
      return button;
    }));
    showSamples();
  }

  function showSamples() {
    samples.forEach((code, n) => show($("samples").children[n].firstChild, decode(code)));
  }

  // Themes, the check, the start -------------------------------------------------------------

  function dress() {
    [paper, ink] = [channels(colour("--paper")), channels(colour("--ink"))];
    scatter = null;
    $("legend").replaceChildren(...digits.map((digit) => {
      const item = document.createElement("li"), dot = document.createElement("span");
      dot.style.background = colourOf(digit);
      item.append(dot, String(digit));
      return item;
    }));
    render();
    showSamples();
    think(200);
  }

  function watchTheme() {
    const themes = ["auto", "light", "dark"];
    let chosen = 0;
    $("theme").addEventListener("click", () => {
      const theme = themes[(chosen = (chosen + 1) % 3)];
      document.documentElement.dataset.theme = theme;
      $("theme").textContent = `Theme: ${theme}`;
      dress();
    });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", dress);
  }

  /** Decode the codes whose images the exporting program has written beside them. */
  function check() {
    let largest = 0;
    model.checks.forEach(({ code, probabilities }) => {
      decode(code).forEach((p, i) => { largest = Math.max(largest, Math.abs(p - probabilities[i])); });
    });
    document.documentElement.dataset.difference = largest;
    $("precision").textContent =
      `Nothing leaves this page: it decodes in its own JavaScript, from ${model.dtype} weights. ` +
      `Its pixels differ by at most ${largest.toExponential(1)} from those of the model it was made from.`;
    if (!(largest <= 1e-3)) {
      $("alert").hidden = false;
      $("alert").textContent = "The images on this page are not exact: this browser computes other values than the model.";
    }
  }

  const widths = [D, ...model.encoder.slice(0, -1).map((l) => l[1]), M, ...model.decoder.map((l) => l[1])];
  $("summary").textContent = `${widths.join("-")}, a code of ${M} ${M === 1 ? "number" : "numbers"}; images of ${height} × ${width} pixels`;
  $("axes").textContent = plane.caption;
  if (M > units.length) $("sliders-title").textContent = `The ${units.length} most active units of the code`;
  $("binary").checked = model.binary;
  $("binary").closest("label").hidden = !model.binary;
  if (!prior) document.querySelector(".prior-card").hidden = true;
  $("middle").addEventListener("click", () => goTo(0, 0));
  $("sample").addEventListener("click", () => {
    sample();
    $("live").textContent = "Other samples are shown";
  });
  watchPlane();
  watchPad();
  watchTheme();
  check();
  [paper, ink] = [channels(colour("--paper")), channels(colour("--ink"))];
  if (prior) sample();
  dress();

  /** For tests, and for the curious at the console. */
  window.vae = {
    model, encode, decode, elbo, setCode, fromPlane, toPlane, think,
    get code() { return Array.from(z); },
    get drawing() { return Array.from(drawing); },
    get seen() { return Array.from(seen()); },
    /** Return how many times a second the code can be moved, decoded and shown. */
    framesPerSecond(frames = 200) {
      const start = performance.now();
      for (let n = 0; n < frames; n++) {
        z = Float64Array.from(fromPlane(Math.cos(n / 9), plane.names[1] ? Math.sin(n / 9) : 0));
        render();
        $("decoded").getContext("2d").getImageData(0, 0, 1, 1); // waits until it is drawn
      }
      return (1000 * frames) / (performance.now() - start);
    },
  };
})();
