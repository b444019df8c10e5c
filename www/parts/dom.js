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

/**
 * Gives an element those properties that differ. A browser lays a page out anew for many that do not: for the limits and the value of a
 * slider at once, wherever it is folded away.
 * @param {any} node @param {Record<string, any>} properties
 */
export function put(node, properties) {
  for (const [name, value] of Object.entries(properties)) if (String(node[name]) !== String(value)) node[name] = value;
}
