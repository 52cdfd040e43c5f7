// Panels of which one is shown, under a row of tabs (the ARIA pattern: arrow keys, Home and End move between tabs).

import { el } from "./dom.js";

export class Tabs {
  /**
   * @param {{key: string, title: string, element: HTMLElement}[]} panels
   * @param {(key: string) => void} onChoose called when the person turns to a panel
   */
  constructor(panels, onChoose) {
    this.panels = panels;
    this.onChoose = onChoose;
    this.tabs = panels.map((panel) => this.tab(panel));
    const bar = el("div", { class: "tabs", role: "tablist", "aria-label": "Instruments" }, ...this.tabs);
    bar.addEventListener("keydown", (event) => this.keyed(event));
    this.element = el("div", { class: "tabbed" }, bar, ...panels.map((panel) => this.body(panel)));
  }

  tab({ key, title }) {
    const choose = () => this.choose(key);
    return el(
      "button",
      { class: "tab", role: "tab", id: `tab-${key}`, "aria-controls": `panel-${key}`, onclick: choose },
      title,
    );
  }

  body({ key, element }) {
    return el(
      "div",
      { class: "panel", role: "tabpanel", id: `panel-${key}`, "aria-labelledby": `tab-${key}` },
      element,
    );
  }

  keyed(event) {
    const count = this.panels.length;
    const at = this.panels.findIndex(({ key }) => key === this.shown);
    const next = { ArrowRight: (at + 1) % count, ArrowLeft: (at - 1 + count) % count, Home: 0, End: count - 1 }[
      event.key
    ];
    if (next === undefined) return;
    event.preventDefault();
    this.choose(this.panels[next].key);
    this.tabs[next].focus();
  }

  choose(key) {
    this.show(key);
    this.onChoose(key);
  }

  /** Show a panel without telling anybody. */
  show(key) {
    this.shown = key;
    this.panels.forEach((panel, i) => {
      const isShown = panel.key === key;
      this.tabs[i].setAttribute("aria-selected", isShown);
      this.tabs[i].tabIndex = isShown ? 0 : -1;
      panel.element.parentElement.hidden = !isShown;
    });
  }
}
