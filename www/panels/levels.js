// Defend: level after level a defence, the attack that does not know of it, the one that does, and what is left.

/** @import { Session } from '../app/session.js' */
/** @import { Outcome } from '../engine/protocol.js' */

import { Counts, enter, levelsOf } from '../app/levels.js';
import { Choices } from '../parts/choices.js';
import { byId } from '../parts/dom.js';
import { beaten, beat } from '../parts/kept.js';
import { HONEST, NOT_COUNTED, countWords, levelEnded, levelWords, tellWords } from '../words/late-en.js';

/** @param {HTMLElement} root @param {Session} session */
export function mount(root, session) {
  const { offers } = session;
  const counts = new Counts(session);
  /** The levels that are shown, with what they were built of, and of which data set they are. @type {import('../app/levels.js').Level[]} */
  let levels = [];
  let shown = '';
  let of = '';
  /** @type {Choices | null} */
  let chips = null;
  /** @type {Set<string>} */
  let done = new Set();
  const dataset = () => offers.datasetOf(session.state.model).key;
  const at = () => levels[session.state.level - 1] ?? null;

  const build = () => {
    [shown, of] = [[dataset(), ...done].join(), dataset()];
    levels = levelsOf(offers, dataset());
    chips = new Choices(byId('level-chips'), {
      name: 'level',
      options: levels.map(({ lesson }, place) => ({ value: String(place + 1), label: `${place + 1}${done.has(`${dataset()} ${lesson.key}`) ? ' ✓' : ''}`, note: lesson.name })),
      onPick: (value) => enter(session, Number(value)),
    });
  };
  const show = () => {
    const { level: n, model, defence } = session.state;
    document.body.classList.toggle('defending', n > 0);
    root.hidden = n === 0;
    for (const [id, current] of /** @type {[string, boolean][]} */ ([['nav-attack', n === 0], ['nav-defend', n > 0]])) {
      if (current) byId(id).setAttribute('aria-current', 'page');
      else byId(id).removeAttribute('aria-current');
    }
    if (n === 0) return;
    if (!shown) done = beaten();
    const turned = of !== '' && of !== dataset();
    if (shown !== [dataset(), ...done].join()) build();
    const level = at();
    // Another network or defence was chosen elsewhere.
    if (turned) {
      // The same level of another data set begins anew.
      queueMicrotask(() => enter(session, n, dataset()));
      return;
    }
    if (!level || level.model !== model || level.defence !== defence) {
      // What a link asks for is not there yet.
      if (!session.current.network) return;
      queueMicrotask(() => session.change({ level: 0 }, { run: session.state.run }));
      return;
    }
    chips?.pick(String(n));
    const { lesson } = level;
    byId('level-words').textContent = levelWords(n, levels.length, lesson);
    byId('level-why').replaceChildren(...[...lesson.why, `${HONEST} ${lesson.honest}`].map((textContent) => Object.assign(document.createElement('p'), { textContent })));
    byId('level-tell').textContent = tellWords(lesson);
    byId('level-next').hidden = n === levels.length;
  };
  const counted = () => {
    const level = at();
    if (!level) return;
    if (session.dataset.measure !== 'l2') {
      byId('level-count').textContent = NOT_COUNTED;
      return;
    }
    const sum = counts.sum(level);
    const guard = offers.defences.find(({ key }) => key === level.defence)?.guard != null;
    const first = session.state.level === 1;
    byId('level-count').textContent = sum.done ? countWords({ ...sum, blind: first ? null : sum.blind, guard }) : '';
    Object.assign(byId('level-count').dataset, { done: sum.done, told: sum.told, blind: sum.blind, clean: sum.clean, ended: sum.ended });
  };
  let counting = '';
  const count = async () => {
    const level = at();
    const { within } = counts;
    const now = `${level?.model} ${level?.defence} ${within}`;
    counted();
    if (!level || session.dataset.measure !== 'l2' || counting === now || counts.sum(level).ended) return;
    counting = now;
    // The levels are made anew whenever one is beaten.
    const still = () => at()?.model === level.model && at()?.defence === level.defence;
    const start = performance.now();
    try {
      await counts.count(level, session.state.level === 1, () => {
        if (counts.sum(level).done === counts.sum(level).all) byId('level-count').dataset.ms ||= String(performance.now() - start);
        if (still()) counted();
      });
    } finally {
      if (counting === now) counting = '';
    }
    if (still()) counted();
  };

  session.on('state', show);
  session.on('reset', () => {
    byId('level-outcome').textContent = '';
    byId('level-tell').hidden = true;
    for (const name of Object.keys(byId('level-count').dataset)) delete byId('level-count').dataset[name];
    counted();
  });
  session.on('outcome', (/** @type {Outcome} */ outcome) => {
    const level = at();
    if (!level) return;
    const first = session.state.level === 1;
    const { attacker } = outcome.subject;
    const { success, valid, refused, l2 } = outcome;
    byId('level-outcome').textContent = levelEnded({ success, valid, refused, alarmed: session.current.clean?.refused === true, l2, attacker, first });
    Object.assign(byId('level-outcome').dataset, { success, attacker });
    byId('level-tell').hidden = attacker !== 'blind';
    if (success && valid && attacker !== 'blind') {
      done = beat(`${dataset()} ${level.lesson.key}`);
      show();
    }
    // The picture comes first.
    setTimeout(count, 50);
  });
  session.on('regraded', counted);
  byId('level-tell').addEventListener('click', () => session.actions.tellAttack());
  byId('level-next').addEventListener('click', () => enter(session, session.state.level + 1));
}
