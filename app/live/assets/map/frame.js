// Which part of a map is shown, and in which pixels.

const PAD = 0.04; // of the data's extent, left free around it

/** @typedef {{x: number, y: number}} Place */
export class MapFrame {
  /** @param {HTMLElement} element that the plot fills */
  constructor(element) {
    this.element = element;
    this.margin = { l: 0, r: 0, t: 0, b: 0 };
    this.extent = null; // of the points, {x: [low, high], y: [low, high]}
    this.x = null; // what is shown, [low, high]
    this.y = null;
    this.isWhole = true; // until the person pans or zooms
  }

  /** Whether anything is shown yet. */
  get isSet() {
    return this.x !== null;
  }

  /** Show all points. */
  showWhole() {
    Object.assign(this, this.wholeRange());
    this.isWhole = true;
  }

  /** The range that shows all points, one unit as long on both axes. */
  wholeRange({ x, y } = this.extent) {
    const { width, height } = this.area();
    const unit = Math.max((x[1] - x[0]) / width, (y[1] - y[0]) / height) * (1 + 2 * PAD) || 1 / width;
    const around = ([low, high], pixels) => {
      const middle = (low + high) / 2;
      return [middle - (unit * pixels) / 2, middle + (unit * pixels) / 2];
    };
    return { x: around(x, width), y: around(y, height) };
  }

  /** Note the size that is filled now. */
  measure() {
    this.filled = { ...this.area(), size: this.size() };
  }

  /** Whether the element has another size than it had when it was measured. */
  get isOutgrown() {
    return this.isSet && this.element.clientWidth > 0 && this.size() !== this.filled.size;
  }

  size() {
    return `${this.element.clientWidth} ${this.element.clientHeight}`;
  }

  /** Fill the new size: with the whole map if that was shown, else with the same middle and scale. */
  refill() {
    const before = this.filled;
    this.measure();
    const around = ([low, high], pixelsBefore, pixels) => {
      const [middle, unit] = [(low + high) / 2, (high - low) / pixelsBefore];
      return [middle - (unit * pixels) / 2, middle + (unit * pixels) / 2];
    };
    if (this.isWhole) return this.showWhole();
    this.x = around(this.x, before.width, this.filled.width);
    this.y = around(this.y, before.height, this.filled.height);
  }

  /** Keep to Plotly's range while and after it pans or zooms; its layout is stale during a pan. */
  follow(change) {
    for (const axis of ["x", "y"]) {
      const whole = change[`${axis}axis.range`];
      const low = change[`${axis}axis.range[0]`] ?? whole?.[0];
      const high = change[`${axis}axis.range[1]`] ?? whole?.[1];
      if (low !== undefined) this[axis] = [low, high];
      if (`${axis}axis.range[0]` in change) this.isWhole = false; // our own changes name the whole range
    }
  }

  /** The range as Plotly takes it. */
  change() {
    return { "xaxis.range": [...this.x], "yaxis.range": [...this.y] };
  }

  /** The plot's area in the element's pixels. */
  area() {
    const { l, r, t, b } = this.margin;
    return {
      left: l,
      top: t,
      width: Math.max(1, this.element.clientWidth - l - r),
      height: Math.max(1, this.element.clientHeight - t - b),
    };
  }

  /** How many of the map's units a pixel is. */
  get unit() {
    return (this.x[1] - this.x[0]) / this.area().width;
  }

  toPixel({ x, y }) {
    const { left, top, width, height } = this.area();
    const {
      x: [x0, x1],
      y: [y0, y1],
    } = this;
    return { x: left + ((x - x0) / (x1 - x0)) * width, y: top + ((y1 - y) / (y1 - y0)) * height };
  }

  toPlace({ x, y }) {
    const { left, top, width, height } = this.area();
    const {
      x: [x0, x1],
      y: [y0, y1],
    } = this;
    return { x: x0 + ((x - left) / width) * (x1 - x0), y: y1 - ((y - top) / height) * (y1 - y0) };
  }

  /** Whether a pixel lies on the plot's area, or at most `slack` pixels beside it. */
  holds({ x, y }, slack = 0) {
    const { left, top, width, height } = this.area();
    return x >= left - slack && x <= left + width + slack && y >= top - slack && y <= top + height + slack;
  }
}
