// What the browser saves for a person.

/**
 * Let the browser save a blob under a name.
 * @param {Blob} content
 * @param {string} fileName
 */
export function saveFile(content, fileName) {
  const address = URL.createObjectURL(content);
  saveAddress(address, fileName);
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}

/**
 * Let the browser save what lies at an address under a name.
 * @param {string} address
 * @param {string} fileName
 */
export function saveAddress(address, fileName) {
  const link = document.createElement("a");
  link.download = fileName;
  link.href = address;
  link.click();
}
