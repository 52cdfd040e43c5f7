// Added to a page before its own scripts: keeps the times of what a person does and of what is painted then.
//
// All times are of performance.now()'s clock; only `when` gives milliseconds since 1970, for other processes' clocks.
(() => {
  const LIVE = "/live/models/";
  const FEWEST_CELLS = 20; // of a map of 64 x 64 cells that has points
  const CELLS = 64;

  const sentAt = new Map(); // question number -> when it left
  let askedAt = null; // when the question left whose answer came last
  let events = []; // {kind, at}
  let paints = []; // {canvas, picture, askedAt, at}; `at` is the frame that shows it
  const drawn = new Map(); // canvas -> picture drawn since the last frame

  // An answer is matched to its question by the number both carry (app/wire/protocol.py).
  class WatchedSocket extends WebSocket {
    constructor(...options) {
      super(...options);
      if (!this.url.includes(LIVE)) return;
      this.addEventListener("message", ({ data }) => {
        askedAt = sentAt.get(new DataView(data).getUint32(0, true)) ?? null;
      });
    }

    send(data) {
      if (this.url.includes(LIVE)) sentAt.set(new DataView(data).getUint32(4, true), performance.now());
      super.send(data);
    }
  }
  window.WebSocket = WatchedSocket;

  // A picture counts as painted in the animation frame after it was drawn; of two in one frame only the last.
  const put = CanvasRenderingContext2D.prototype.putImageData;
  CanvasRenderingContext2D.prototype.putImageData = function (image, ...where) {
    put.call(this, image, ...where);
    const canvas = this.canvas.dataset.testid;
    if (!canvas) return;
    if (!drawn.has(canvas)) requestAnimationFrame(() => painted(canvas));
    drawn.set(canvas, { picture: hash(image.data), askedAt });
  };

  function painted(canvas) {
    paints.push({ canvas, ...drawn.get(canvas), at: performance.now() });
    drawn.delete(canvas);
  }

  /** FNV-1a over whole pixels. */
  function hash(bytes) {
    let value = 0x811c9dc5;
    for (const pixel of new Uint32Array(bytes.buffer)) value = Math.imul(value ^ pixel, 0x01000193);
    return value >>> 0;
  }

  // Events count from their time stamp, when the browser got them: those that wait while the page is busy wait in the
  // figures too. A slider's `input` is made only when the move behind it is handled, so it has that move's time.
  let movedAt = null;
  const happened = (event) => event.timeStamp;

  // A file input is heard by `input` too: its `change` event does not leave the shadow root.
  const SEEN = [
    ["move", "pointermove", () => true, (event) => (movedAt = event.timeStamp)],
    ["slider", "input", (node) => node.matches?.('input[type="range"]'), () => movedAt],
    ["file", "input", (node) => node.matches?.('input[type="file"]'), happened],
    ["release", "pointerup", () => true, happened],
  ];
  for (const [kind, type, matches, time] of SEEN) {
    const keep = (event) => event.composedPath().some(matches) && events.push({ kind, at: time(event) });
    window.addEventListener(type, keep, true);
  }

  /** All matching elements, those in shadow roots too. */
  function deep(selector, root = document) {
    const hosts = [...root.querySelectorAll("*")].filter((node) => node.shadowRoot);
    return [...root.querySelectorAll(selector), ...hosts.flatMap((host) => deep(selector, host.shadowRoot))];
  }

  // Plotly keeps its drawing buffer, so its points can be read back: this sees pixels, not just elements. The
  // marker comes last, when the points are drawn and the server has answered where the code lies; asking for it
  // first keeps the reading out of the measured time.
  function mapPainted() {
    const [map] = deep('[data-testid="latent-map"]');
    const marker = map?.querySelector(".marker:not([hidden])");
    const canvas = marker && map.querySelector("canvas.gl-canvas-context");
    return Boolean(canvas) && hasPoints(canvas);
  }

  function hasPoints(canvas) {
    const small = new OffscreenCanvas(CELLS, CELLS).getContext("2d");
    small.drawImage(canvas, 0, 0, CELLS, CELLS);
    const cells = new Uint32Array(small.getImageData(0, 0, CELLS, CELLS).data.buffer);
    return cells.filter((cell) => cell !== 0).length >= FEWEST_CELLS;
  }

  const loaded = (images) => images.every((image) => image.complete && image.naturalWidth > 0);

  /** What is shown of the visitor's pictures: the strip's first image and the number of stars on the map. */
  const shownPictures = () => ({ strip: deep(".strip img")[0]?.src ?? null, stars: deep(".star").length });

  /** Whether a new picture is shown with its reconstruction, and its star, the last one, is on the map. */
  function uploadShown(before) {
    const images = deep(".strip img");
    const stars = deep(".star");
    const isNew = stars.length > before.stars && images[0]?.src !== before.strip;
    return isNew && images.length >= 2 && loaded(images) && !stars.at(-1).hidden;
  }

  const nativePicture = () => document.querySelector('[data-testid="stImage"] img');

  let lastNative = null;

  /** From now on look at a plain Streamlit picture in every frame; its address changes with its pixels. */
  function followNative() {
    const image = nativePicture();
    if (image && loaded([image]) && image.src !== lastNative) {
      lastNative = image.src;
      paints.push({ canvas: "native", picture: image.src, askedAt: null, at: performance.now() });
    }
    requestAnimationFrame(followNative);
  }

  /** Whether a group of so many images is shown, with its montage. */
  function groupShown(count) {
    const [group] = deep('[data-testid="group-summary"]');
    const montage = group?.dataset.count === String(count) && group.querySelector("img.montage");
    return Boolean(montage) && loaded([montage]);
  }

  /** The latent map's Plotly plot. */
  const plot = () => deep('[data-testid="latent-map"] .plot')[0];

  /** How many points the map shows, those of training images included. */
  function points() {
    const under = Number(deep('[data-testid="backdrop"]')[0]?.dataset.points ?? 0);
    return plot().data.reduce((sum, { x }) => sum + x.length, under);
  }

  /** When the last question of that name left and when its answer began to come, ms; null while there is none. */
  function asked(what) {
    const last = performance
      .getEntriesByType("resource")
      .findLast(({ name }) => new URL(name).pathname.endsWith(`/ask/${what}`));
    return last ? { sent: last.requestStart, answered: last.responseStart } : null;
  }

  let frames = 0;
  const count = () =>
    requestAnimationFrame(() => {
      frames++;
      count();
    });
  count();

  /** Frames that the browser drew since the last call. */
  function takeFrames() {
    const drawn = frames;
    frames = 0;
    return drawn;
  }

  /** Milliseconds since 1970 of the first frame that shows the condition; an error after `limit` ms. */
  function when(condition, limit) {
    const end = performance.now() + limit;
    return new Promise((resolve, reject) => {
      const look = () => {
        if (condition()) requestAnimationFrame(() => resolve(performance.timeOrigin + performance.now()));
        else if (performance.now() > end) reject(new Error(`not seen within ${limit} ms: ${condition}`));
        else requestAnimationFrame(look);
      };
      look();
    });
  }

  /** What was kept since the last call. */
  function take() {
    const kept = { origin: performance.timeOrigin, events, paints };
    [events, paints] = [[], []];
    return kept;
  }

  window.watch = {
    mapPainted,
    shownPictures,
    uploadShown,
    nativePicture,
    followNative,
    groupShown,
    plot,
    points,
    asked,
    takeFrames,
    when,
    take,
  };
})();
