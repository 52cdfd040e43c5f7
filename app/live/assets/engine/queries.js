// Questions that need more than a decoded picture: answered by the server in one go (see app/live/ask.py).

import { refusalOf } from "./refusal.js";
import { visitorHeaders } from "./visitor.js";

/**
 * Asks questions about one model; of two in the same slot the newer one counts.
 */
export class Queries {
  /**
   * @param {URL} root of the server
   * @param {string} model its name
   */
  constructor(root, model) {
    this.root = root;
    this.model = model;
    this.slots = new Map(); // slot -> AbortController
  }

  /**
   * @param {string} what the question's name
   * @param {object} body
   * @param {string} slot questions in the same slot replace each other; by default the question's name
   * @returns {Promise<object>} never settles when a newer question took its place
   * @throws {import("./refusal.js").Refusal} with the server's sentence
   */
  async ask(what, body, slot = what) {
    this.slots.get(slot)?.abort();
    const controller = new AbortController();
    this.slots.set(slot, controller);
    try {
      return await (await this.post(what, body, controller.signal)).json();
    } catch (error) {
      if (controller.signal.aborted) return new Promise(() => {});
      throw error;
    }
  }

  /**
   * Have the server begin work in the background. Its answer, which names the work, is waited for even when the model is
   * switched meanwhile: work without a name could not be stopped.
   * @returns {Promise<{job: string}>}
   */
  async begin(what, body) {
    return (await this.post(what, body)).json();
  }

  /** Ask for a file and let the browser save it. */
  async save(what, body, fileName) {
    const content = await (await this.post(what, body)).blob();
    saveFile(content, fileName);
  }

  async post(what, body, signal) {
    const url = new URL(`live/models/${encodeURIComponent(this.model)}/ask/${what}`, this.root);
    const headers = { "Content-Type": "application/json", ...visitorHeaders() };
    const response = await fetch(url, { method: "POST", headers, body: JSON.stringify(body), signal }).catch(
      (error) => {
        if (error.name === "AbortError") throw error;
        throw new Error("the server is out of reach; try again shortly");
      },
    );
    if (!response.ok) throw await refusalOf(response);
    return response;
  }

  /** Forget what was asked. */
  close() {
    for (const controller of this.slots.values()) controller.abort();
  }
}

/** Let the browser save a blob under a name. */
export function saveFile(content, fileName) {
  const link = document.createElement("a");
  link.download = fileName;
  link.href = URL.createObjectURL(content);
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
