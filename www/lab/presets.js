// Experiments that are ready to be run: settings of the lab by what they answer.

/** @import { Offers } from '../app/offers.js' */
/** @import { LabTable } from './state.js' */

/** @typedef {{key: string, settings: Record<string, any>}} Preset `key` names its words */

/** @param {Offers} offers @param {LabTable} table @returns {Preset[]} */
export function presets(offers, table) {
  const all = table.networks.map((name) => offers.network(name)).filter(({ defends }) => !defends);
  const vaes = all.filter(({ vae }) => vae).map(({ key }) => key);
  const plain = all.find(({ vae }) => !vae)?.key ?? all[0].key;
  const controls = vaes.map((vae) => all.find(({ control_of }) => control_of === vae)?.key).filter((name) => name !== undefined);
  const closest = table.attacks.filter(({ decides }) => decides).map(({ key }) => key);
  const published = table.attacks.filter(({ decides }) => !decides).map(({ key }) => key);
  return [
    { key: 'question', settings: { networks: [plain, ...vaes], attacks: closest.slice(0, 1), digits: 100 } },
    { key: 'controls', settings: { networks: [...controls, ...vaes], attacks: closest.slice(0, 1), digits: 100 } },
    { key: 'norms', settings: { networks: [plain, ...vaes], attacks: closest, digits: 50 } },
    { key: 'published', settings: { networks: [plain, ...vaes], attacks: published, digits: 100 } },
  ];
}
