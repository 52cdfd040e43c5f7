// Panels of which one is shown, under a row of tabs (the ARIA pattern: arrow keys, Home and End move between tabs).

import { el } from "./dom.js";

/** @typedef {{key: string, title: string, element: HTMLElement}} Panel */

export class Tabs {
  /**
   * @param {Panel[]} panels
   * @param {(key: string) => void} onChoose called when the person turns to a panel
   */
  constructor(panels, onChoose) {
    this.panels = panels;
    this.onChoose = onChoose;
    this.shown = ""; // key of the panel
    this.tabs = panels.map((panel) => this.tab(panel));
    const bar = el("div", { class: "tabs", role: "tablist", "aria-label": "Instruments" }, ...this.tabs);
    bar.addEventListener("keydown", (event) => this.keyed(event));
    this.bodies = panels.map((panel) => this.body(panel));
    this.element = el("div", { class: "tabbed" }, bar, ...this.bodies);
  }

  /** @param {Panel} panel */
  tab({ key, title }) {
    const choose = () => this.choose(key);
    return el(
      "button",
      { class: "tab", role: "tab", id: `tab-${key}`, "aria-controls": `panel-${key}`, onclick: choose },
      title,
    );
  }

  /** @param {Panel} panel */
  body({ key, element }) {
    return el(
      "div",
      { class: "panel", role: "tabpanel", id: `panel-${key}`, "aria-labelledby": `tab-${key}` },
      element,
    );
  }

  /** @param {KeyboardEvent} event */
  keyed(event) {
    const count = this.panels.length;
    const at = this.panels.findIndex(({ key }) => key === this.shown);
    /** @type {Record<string, number>} */
    const targets = { ArrowRight: (at + 1) % count, ArrowLeft: (at - 1 + count) % count, Home: 0, End: count - 1 };
    const next = targets[event.key];
    if (next === undefined) return;
    event.preventDefault();
    this.choose(this.panels[next].key);
    this.tabs[next].focus();
  }

  /** @param {string} key */
  choose(key) {
    this.show(key);
    this.onChoose(key);
  }

  /**
   * Show a panel without telling anybody.
   * @param {string} key
   */
  show(key) {
    this.shown = key;
    this.panels.forEach((panel, i) => {
      const isShown = panel.key === key;
      this.tabs[i].setAttribute("aria-selected", String(isShown));
      this.tabs[i].tabIndex = isShown ? 0 : -1;
      this.bodies[i].hidden = !isShown;
    });
  }
}
