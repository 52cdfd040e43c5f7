// What the server says instead of an answer: a code for the page, and a sentence for the person (see app/live/refusals.py).

export const GONE = "gone"; // what is asked for by its number is not remembered any more

/** An error whose `code` names what went wrong; its message is for the person. */
export class Refusal extends Error {
  /**
   * @param {string} code
   * @param {string} message
   */
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

/**
 * What an HTTP answer that is no success says.
 * @param {Response} response
 * @returns {Promise<Refusal>}
 */
export async function refusalOf(response) {
  const text = await response.text();
  try {
    const { code, message } = JSON.parse(text);
    return new Refusal(String(code), String(message));
  } catch {
    return new Refusal("", text); // of somebody between us and the server
  }
}

/**
 * What the reason of a closed socket says: a code, a space, a sentence.
 * @param {string} reason
 * @returns {Refusal}
 */
export function refusalOfClose(reason) {
  const [code] = reason.split(" ", 1);
  return new Refusal(code, reason.slice(code.length + 1));
}
