// A VAE from inside: what its decoder sees, and the way over the map of its latent space.

/** @import { Session } from '../app/session.js' */

import { byId } from '../parts/dom.js';
import { Latent } from '../parts/latent.js';

/** @param {HTMLElement} root @param {Session} session */
export function mount(root, session) {
  const latent = new Latent({ section: root, before: byId('seen-before'), after: byId('seen-after'), map: byId('latent-map') });
  session.on('network', (network) => latent.use(network));
  session.on('clean', ({ seen }) => seen && latent.start(seen));
  session.on('frame', ({ frames, index }) => latent.show(frames, index));
}
