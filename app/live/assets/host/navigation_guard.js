// Leaving for another page by one of its links, right after a change.
//
// What a component reports reaches Python as a wish to run the page that it shows. Such a wish that is sent after the
// click on a link brings the person back, and one that is sent just before it can be dropped for the link's. So a link
// waits until Python has kept what was changed, and what is reported after it waits until it is clear that the person
// stayed. Whoever turns to something else on the page, such as the model picker, has what was changed reported first.

const PATIENCE_MS = 1500; // with which a link waits for Python
const STAYED_MS = 10_000; // after which a page that was not left was meant to stay

/**
 * Whether two values of JSON are alike, in whatever order their keys stand.
 * @param {any} a
 * @param {any} b
 * @returns {boolean}
 */
export function isSame(a, b) {
  if (a === null || b === null || typeof a !== "object" || typeof b !== "object") return a === b;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => key in b && isSame(a[key], b[key]));
}

/**
 * The page of an address: "/vae/" is "/vae".
 * @param {{pathname: string}} address
 */
function pageOf({ pathname }) {
  return pathname.replace(/\/$/, "");
}

export class NavigationGuard {
  /**
   * @param {object} hooks
   * @param {() => void} hooks.settle report what was not reported yet
   * @param {() => boolean} hooks.isKept whether Python has all that the page shows
   */
  constructor(hooks) {
    this.hooks = hooks;
    /** @type {HTMLAnchorElement | null} */
    this.waiting = null; // the link that was clicked
    this.left = false;
    /** @type {(() => void)[]} */
    this.held = [];
  }

  /**
   * @param {HTMLElement} part that makes the reports
   * @param {AbortSignal} signal ends it, when the page is gone
   */
  listen(part, signal) {
    const settleBefore = (event) => event.composedPath().includes(part) || this.hooks.settle();
    for (const type of ["pointerdown", "focusin"])
      window.addEventListener(type, settleBefore, { capture: true, signal });
    window.addEventListener("click", (event) => this.clicked(event), { capture: true, signal });
    signal.addEventListener("abort", () => [this.soon, this.stays].forEach(clearTimeout));
  }

  /**
   * Report now, or when the person has stayed.
   * @param {() => void} act
   */
  report(act) {
    if (this.left) this.held.push(act);
    else act();
  }

  /** News from Python. */
  heard() {
    if (this.waiting && this.hooks.isKept()) this.follow();
  }

  clicked(event) {
    const link = event.composedPath().find((node) => node.matches?.("a[href]"));
    const elsewhere = event.ctrlKey || event.metaKey || event.shiftKey || link?.target === "_blank"; // another tab
    if (!link || elsewhere || pageOf(link) === pageOf(location)) return;
    if (this.left) return; // on the way
    if (this.waiting === null) this.hooks.settle();
    if (this.hooks.isKept()) return this.leave();
    event.preventDefault();
    event.stopImmediatePropagation();
    this.waiting = link;
    this.soon ??= setTimeout(() => this.follow(), PATIENCE_MS);
  }

  follow() {
    const link = this.waiting;
    this.leave();
    link.click();
  }

  leave() {
    clearTimeout(this.soon);
    this.waiting = this.soon = null;
    this.left = true;
    this.stays = setTimeout(() => this.stay(), STAYED_MS);
  }

  stay() {
    this.left = false;
    for (const act of this.held.splice(0)) act();
  }
}
