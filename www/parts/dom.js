// Elements: found by their names, and made.

/** The element of that name, which index.html has. @param {string} id @returns {any} */
export const byId = (id) => document.getElementById(id);

/**
 * An element with properties and children.
 * @param {string} tag @param {Record<string, any>} [properties] @param {...(Node | string)} children @returns {any}
 */
export function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}
