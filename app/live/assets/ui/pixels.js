// Pictures as they come (rows of bytes, channels innermost) on canvases.

import { saveAddress } from "./download.js";

/**
 * Size a canvas to the model's pictures; CSS decides how large it is shown.
 * @param {HTMLCanvasElement} canvas
 * @param {number[]} shape channels, height, width
 */
export function sizeCanvas(canvas, [, height, width]) {
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
}

/**
 * Paint one picture.
 * @param {HTMLCanvasElement} canvas
 * @param {Uint8Array} pixels
 * @param {number[]} shape channels, height, width
 */
export function paint(canvas, pixels, [channels, height, width]) {
  const image = new ImageData(width, height);
  const out = new Uint32Array(image.data.buffer); // little endian: 0xAABBGGRR
  if (channels === 1) {
    for (let i = 0; i < out.length; i++) out[i] = 0xff000000 | (pixels[i] * 0x010101);
  } else {
    for (let i = 0, p = 0; i < out.length; i++, p += 3) {
      out[i] = 0xff000000 | (pixels[p + 2] << 16) | (pixels[p + 1] << 8) | pixels[p];
    }
  }
  drawingOn(canvas).putImageData(image, 0, 0);
}

/**
 * What draws on a canvas.
 * @param {HTMLCanvasElement} canvas
 */
export function drawingOn(canvas) {
  return /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
}

/**
 * Let the browser save a canvas as PNG, each of its pixels `scale` wide.
 * @param {HTMLCanvasElement} canvas
 * @param {string} name
 * @param {number} scale
 */
export function savePNG(canvas, name, scale) {
  const large = document.createElement("canvas");
  large.width = canvas.width * scale;
  large.height = canvas.height * scale;
  const context = drawingOn(large);
  context.imageSmoothingEnabled = false;
  context.drawImage(canvas, 0, 0, large.width, large.height);
  saveAddress(large.toDataURL("image/png"), name);
}
