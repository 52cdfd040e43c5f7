// Where the server answers about a model: the address says which state of the model the page shows, so that nothing is
// answered by weights or a reference set that came after it.

/**
 * @param {URL} root of the server
 * @param {{name: string, digest: string, referenceDigest: string}} model
 * @param {string} path below the model's own
 */
export function modelAddress(root, { name, digest, referenceDigest }, path) {
  const shown = new URLSearchParams({ digest, reference: referenceDigest });
  return new URL(`live/models/${encodeURIComponent(name)}/${path}?${shown}`, root);
}
