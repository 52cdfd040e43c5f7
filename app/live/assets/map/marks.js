// What lies on places of a map and moves with it: the marker, a ring, stars. These are elements over the plot,
// because redrawing a trace for each mouse move is ten times too slow.

import { el, renew } from "../ui/dom.js";
import { starButton } from "./stars.js";

/** @typedef {{x: number, y: number}} Place */
export class MapMarks {
  /** @param {import("./frame.js").MapFrame} frame */
  constructor(frame) {
    this.frame = frame;
    this.halo = el("div", { class: "halo", hidden: true });
    this.stars = el("div", { class: "stars" });
    this.marker = el("div", { class: "marker", hidden: true, title: "You are here" });
    this.element = el("div", { class: "overlay" }, this.halo, this.stars, this.marker);
    this.markerPlace = null;
    this.haloPlace = null;
    this.starPlaces = [];
  }

  moveMarker(place) {
    this.markerPlace = place;
    if (this.frame.isSet) this.put(this.marker, place);
  }

  /** A ring around a place; null takes it away. */
  ring(place) {
    this.haloPlace = place;
    this.halo.hidden = true;
    if (place) this.put(this.halo, place);
  }

  /**
   * Stars for a person's own pictures.
   * @param {{id: string, name: string, place: Place, chosen: boolean}[]} stars
   * @param {{verb?: string, onPick: (id: string) => void, onShow?: (id: string, place: Place) => void,
   *   onHide?: () => void}} hooks what picking one does and is called, and what to show for the one pointed at
   */
  setStars(stars, { verb = "Load", onPick, onShow, onHide }) {
    const options = { verb, onPick, onShow, onHide };
    renew(this.stars, stars, () => stars.map((star) => starButton(star, options)));
    this.starPlaces = stars.map(({ place }) => place);
    this.follow();
  }

  /** Bring an element to a place; it hides where that is not shown. */
  put(node, place) {
    const px = this.frame.toPixel(place);
    node.hidden = !this.frame.holds(px, 1);
    node.style.transform = `translate(${px.x}px, ${px.y}px)`;
  }

  /** Keep all of them on their places. */
  follow() {
    if (!this.frame.isSet) return;
    if (this.markerPlace) this.put(this.marker, this.markerPlace);
    if (this.haloPlace) this.put(this.halo, this.haloPlace);
    this.starPlaces.forEach((place, i) => this.put(this.stars.children[i], place));
  }
}
