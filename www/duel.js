// The same digit, target, attack and budget on several networks at once, and each result replayed on the others.

import { Cancelled } from './engine.js';
import * as networks from './networks.js';
import * as text from './text.js';
import { Compare } from './view/compare.js';
import { showTransfer } from './view/duel.js';

export class Duel {
  #section;
  #summary;
  #table;
  #compare;

  constructor({ section, columns, summary, table }) {
    [this.#section, this.#summary, this.#table] = [section, summary, table];
    this.#compare = new Compare(columns, 'model');
  }

  /**
   * @param {(items: string[], words: string, work: (worker: object, item: string) => Promise) => Promise<string|null>} onAllWorkers
   * @param {{names: string[], inference: string, about: object, image: Float32Array, labels: string[], rules: object}} duel
   */
  async run(onAllWorkers, { names, inference, about, image, labels, rules }) {
    const contestants = names.map((name) => ({ name, title: networks.short(name) }));
    const outcomes = new Map();
    const readings = new Map();
    this.#compare.start(contestants.map(({ name, title }) => [name, title]));
    this.#table.replaceChildren();
    this.#summary.textContent = '';
    this.#section.hidden = false;
    this.#section.scrollIntoView({ block: 'nearest' });
    const start = performance.now();
    const guarded = (work) => async (worker, name) => {
      try {
        await work(worker, name, networks.key(name, inference));
      } catch (error) {
        if (error instanceof Cancelled) throw error;
        this.#compare.refuse(name, error.message);
      }
    };
    let wrong = await onAllWorkers(names, `Attacking ${names.length} networks`, guarded(async (worker, name, model) => {
      const { outcome } = await worker.attack({ ...about, model, quiet: true }).promise;
      outcomes.set(name, outcome);
      this.#compare.show(name, image, outcome, labels, text.rule(rules));
    }));
    wrong ??= await onAllWorkers(names, 'Replaying', guarded(async (worker, name, model) => {
      const row = new Map();
      readings.set(name, row);
      for (const [from, outcome] of outcomes) {
        const probabilities = await worker.read(model, outcome.image);
        const read = networks.likeliest(probabilities);
        row.set(from, { read, p: probabilities[read] });
      }
    }));
    if (wrong) {
      this.#summary.textContent = wrong;
      return;
    }
    showTransfer(this.#table, contestants, outcomes, readings, labels);
    this.#summary.textContent = text.duelled(contestants, outcomes, rules);
    this.#section.dataset.ms = performance.now() - start;
  }

  hide() {
    this.#section.hidden = true;
    delete this.#section.dataset.ms;
  }
}
