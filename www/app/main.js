// Wires the page: the catalogue from a worker, a session, its actions, and the panels. A panel is a file with `mount(root, session)`
// and a line here or in late.js; its root is the element of index.html with its name as data-panel, or a new section.

import { Engine } from '../engine/client.js';
import { bestBuild, whyUnsupported } from '../engine/support.js';
import * as buttons from '../panels/buttons.js';
import * as notice from '../panels/notice.js';
import * as sees from '../panels/sees.js';
import * as shields from '../panels/shields.js';
import * as stage from '../panels/stage.js';
import * as strength from '../panels/strength.js';
import * as strip from '../panels/strip.js';
import * as sure from '../panels/sure.js';
import * as targets from '../panels/targets.js';
import * as verdict from '../panels/verdict.js';
import * as views from '../panels/views.js';
// What the visitor hands over before the panel is there that takes it waits.
import '../parts/arrivals.js';
import { notify, report } from '../parts/notice.js';
import { NOT_LOADED, errorWords } from '../words/en.js';
import { Actions } from './actions.js';
import { Many } from './many.js';
import { onRuler } from './opening.js';
import { Offers } from './offers.js';
import { Session } from './session.js';
import { Table } from './state.js';

/** By name: those without which nothing is seen. The others follow, from late.js. */
const PANELS = { notice, strip, targets, buttons, stage, sees, verdict, sure, strength, shields, views };

/** @param {string} name */
function rootOf(name) {
  const there = document.querySelector(`[data-panel="${name}"]`);
  if (there) return /** @type {HTMLElement} */ (there);
  const made = Object.assign(document.createElement('section'), { className: 'panel' });
  made.dataset.panel = name;
  document.querySelector('main > article')?.before(made);
  return made;
}

async function start() {
  const engine = new Engine(bestBuild());
  const offers = new Offers(await engine.catalogue());
  const session = new Session(offers, engine, new Table(offers));
  [session.actions, session.many] = [new Actions(session), new Many(session)];
  for (const [name, { mount }] of Object.entries(PANELS)) mount(rootOf(name), session);
  /** @type {Promise<typeof import('./late.js')> | null} */
  let late = null;
  const others = () => {
    late ??= import('./late.js').then((module) => {
      for (const [name, { mount }] of Object.entries(module.PANELS)) session.admit(() => mount(rootOf(name), session));
      return module;
    });
    late.catch(() => (late = null));
    return late;
  };
  /** Those that were opened. @type {Map<string, Promise<void>>} */
  const opened = new Map();
  session.open = async (name) => {
    if (!opened.has(name)) {
      const opening = others().then(async ({ OPENED }) => {
        const { mount } = await OPENED[name]();
        session.admit(() => mount(rootOf(name), session));
      });
      opened.set(name, opening);
    }
    try {
      await opened.get(name);
      session.tell(`open-${name}`);
    } catch {
      opened.delete(name);
      session.tell('notice', { words: NOT_LOADED, retry: () => session.open(name) });
    }
  };
  /** Goes to what the state asks for: a level that a link names alone is played from its beginning. */
  const go = async () => {
    const { level } = session.state;
    if (!level || /[#&](model|defence)=/.test(location.hash)) return session.actions.load();
    await others();
    const { enter } = await import('./levels.js');
    // Unless the link names one, a picture that no network hesitates about.
    if (!/[#&]digit=/.test(location.hash)) session.state.digit = session.table.fields.digit.initial;
    return enter(session, level, session.offers.datasetOf(session.state.model).key);
  };

  const read = () => {
    const { state, problems } = session.table.readHash(location.hash);
    session.state = state;
    // What is not right does not stay in the address.
    if (problems.length) session.change({}, { run: state.run });
    else session.tell('state');
    if (location.hash.length > 1 && !onRuler(session.offers, state.attack, state.attacks[state.attack])) session.tell('linked');
    return problems.join(' ');
  };
  addEventListener('hashchange', async () => {
    const before = JSON.stringify(session.subject);
    const said = read();
    session.tell('notice', { words: said });
    if (JSON.stringify(session.subject) !== before || !session.current.network || session.state.level || session.state.drawing) {
      await go();
      if (said) session.tell('said', said);
    } else if (session.state.run) await session.actions.attack();
    else await session.actions.look();
  });
  const said = read();
  // Whoever follows no link sees a network fail at once; what is folded comes after that.
  const opens = location.hash.length < 2;
  if (!opens) await others();
  await go();
  if (said) session.tell('said', said);
  if (!opens) return;
  await session.actions.live();
  await others();
}

/** @param {string} words @param {() => void} [retry] */
function failed(words, retry) {
  notify(words, retry);
  report('error', words);
  /** @type {HTMLElement} */ (document.getElementById('status')).textContent = '';
}

const unsupported = whyUnsupported();
if (unsupported) failed(unsupported);
else begin();

function begin() {
  notify('');
  start().catch((error) => failed(errorWords(error), begin));
}
