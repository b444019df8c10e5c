// The panels that are not needed at first sight: what is folded, the other views, the visitor's own.

import * as attacks from '../panels/attacks.js';
import * as bring from '../panels/bring.js';
import * as compare from '../panels/compare.js';
import * as copy from '../panels/copy.js';
import * as draw from '../panels/draw.js';
import * as duel from '../panels/duel.js';
import * as eye from '../panels/eye.js';
import * as forget from '../panels/forget.js';
import * as gallery from '../panels/gallery.js';
import * as latent from '../panels/latent.js';
import * as levels from '../panels/levels.js';
import * as networks from '../panels/networks.js';
import * as pictures from '../panels/pictures.js';
import * as readings from '../panels/readings.js';
import * as save from '../panels/save.js';
import * as thresholds from '../panels/thresholds.js';
import * as transfer from '../panels/transfer.js';

/** By name. */
export const PANELS = {
  pictures, networks, attacks, readings, latent, thresholds, eye, save, copy, transfer, duel, compare, gallery, draw, bring, forget, levels,
};

/** Those that come when they are first opened. @type {Record<string, () => Promise<{mount: (root: HTMLElement, session: import('./session.js').Session) => void}>>} */
export const OPENED = {
  feeding: () => import('../panels/feeding.js'),
  landscape: () => import('../panels/landscape.js'), race: () => import('../panels/race.js'), noise: () => import('../panels/noise.js'),
  measure: () => import('../panels/measure.js'), share: () => import('../panels/share.js'),
};
