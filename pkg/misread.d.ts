/* tslint:disable */
/* eslint-disable */

/**
 * Networks that stand guard.
 */
export class Guards {
    free(): void;
    [Symbol.dispose](): void;
    /**
     * Takes a network as a guard; throws where it cannot be one.
     */
    add(network: Network): void;
    /**
     * None yet.
     */
    constructor();
}

/**
 * A network: its weights, read and packed once. The subjects that are made of it share them.
 */
export class Network {
    free(): void;
    [Symbol.dispose](): void;
    /**
     * What it is: `{name, title, family, dataset, image, labels, vae, control_of, defends, measure, valid, confident}`, the last three
     * by what an attack on it is graded.
     */
    about(): any;
    /**
     * The facts of the weights file, by name.
     */
    facts(): any;
    /**
     * The names of the networks that the guards among these defences need, besides this one.
     */
    guards(defence: string): string[];
    /**
     * The labels of these images.
     */
    mapLabels(): Uint8Array;
    /**
     * The map of a VAE's latent space: positions of test images, two numbers each; empty where there is none.
     */
    mapPoints(): Float32Array;
    /**
     * Reads a weights file; throws what is wrong with it. `name` is the one under which it stands in records: its own where
     * none is given.
     */
    constructor(bytes: Uint8Array | number[], name?: string | null);
    /**
     * What a VAE makes of an image: the place of its latent vector on the map (two numbers, NaN where there is no map),
     * then the image that the decoder makes of it.
     */
    see(image: Float32Array | number[]): Float32Array;
}

/**
 * Images that come with the page: a sample, or those of the lab.
 */
export class Samples {
    free(): void;
    [Symbol.dispose](): void;
    /**
     * Where each image stands in the test set.
     */
    indices(): Uint32Array;
    /**
     * The true label of each image.
     */
    labels(): Uint8Array;
    /**
     * Reads a file of a data set's images; throws what is wrong with it.
     */
    constructor(dataset: string, bytes: Uint8Array | number[]);
    /**
     * Image after image, 0 to 255.
     */
    pixels(): Uint8Array;
}

/**
 * What is attacked: a network, how a VAE reads, and what it stands behind.
 */
export class Subject {
    free(): void;
    [Symbol.dispose](): void;
    /**
     * Cross-entropy of `label`, logits and gradient at an image, one after the other in one array.
     */
    lossAndGradient(image: Float32Array | number[], label: number): Float32Array;
    /**
     * A network that reads through `mean` or `sampled` (of which what is no VAE takes no notice), behind the defence of that
     * name, several with `+` between (an empty name or `none` for none), as an `adaptive`, a `blind` or a `black-box` attacker
     * sees it. `guards` holds the guards that [`Network::guards`] names.
     */
    constructor(network: Network, inference: string, defence: string, attacker: string, guards: Guards);
    /**
     * How it reads an image, of that index in its set: `{predicted, refused, confidence, probabilities}`. Label and refusal are
     * what is deployed answers (of draws what most of them name), the probabilities those that an attacker sees.
     */
    read(image: Float32Array | number[], index: number): any;
    /**
     * Has it attacked as `bare`, the network that it was trained to defend: what is made there is replayed here.
     */
    takenFor(bare: Subject): void;
}

/**
 * An attack on one image.
 */
export class Trial {
    free(): void;
    [Symbol.dispose](): void;
    /**
     * Where the attack stands: `{step, round, budget, loss, predicted, refused, confidence, success, l0, l1, l2, linf, gradients,
     * queries, done, image, probabilities}`.
     */
    frame(): any;
    /**
     * What the attack came to: `{record, image, probabilities, milliseconds, first_milliseconds}`; `thresholds` are the
     * visitor's, `{valid, confident}`, each of which may be missing.
     */
    judged(subject: Subject, thresholds: any): any;
    /**
     * An attack on an image. `task` is `{image, index, label, target, start, only_if_read}`: the image in [0, 1], its index in
     * its set, its true label, the label aimed at (null for any other), an image that is read as wanted (null for none), and
     * whether an image that is misread as it is is left alone. `attack` is `{attack: name, FIELD: value, ...}`; fields that
     * are missing have their defaults.
     */
    constructor(subject: Subject, task: any, attack: any);
    /**
     * Takes a step, the first of which evaluates the start; true at the end. Throws an error with the key `skipped` when there
     * is nothing to attack.
     */
    step(subject: Subject): boolean;
    /**
     * The number of the latest step.
     */
    readonly at: number;
}

/**
 * The search for a universal perturbation.
 */
export class Universal {
    free(): void;
    [Symbol.dispose](): void;
    /**
     * The change that has fooled most so far.
     */
    change(): Float32Array;
    /**
     * Over `images`, one after the other, each with its label: a change of at most `epsilon` in `norm` (`l2` or `linf`), in so many
     * passes. Throws what is not right.
     */
    constructor(norm: string, epsilon: number, passes: number, images: Float32Array | number[], labels: Uint32Array | number[]);
    /**
     * Goes once over all images, on what an attacker sees of the subject; true at the end.
     */
    pass(subject: Subject): boolean;
    /**
     * What is read of each image with it; -1 where it is refused.
     */
    readings(): Int32Array;
}

/**
 * Times the gradient at `images`, one after the other, as many as the batch: `{model, batch, ms, gflops, percent_of_peak}`,
 * see `bench::Row`.
 */
export function bench(network: Network, images: Float32Array | number[]): any;

/**
 * Which instruction set this build runs on, e.g. `simd128`.
 */
export function build(): string;

/**
 * Networks, data sets, attacks with their fields, and defences: all that is offered.
 */
export function catalogue(): any;

/**
 * What is offered for a data set by its name, such as `own-32x32x3`: `{dataset, defences}`.
 */
export function described(dataset: string): any;

/**
 * How a record of that data set is graded under thresholds of the visitor's: `{valid, grade, measure, valid_at,
 * confident_at}`.
 */
export function grade(record: any, dataset: string, thresholds: any): any;

/**
 * The median with its 95 % interval.
 */
export function median(values: Float64Array | number[]): Float64Array;

/**
 * The difference between two shares of the same `n` things, given how many are in the first alone and in the second
 * alone, with its 95 % interval.
 */
export function pairedDifference(first_alone: number, second_alone: number, n: number): Float64Array;

/**
 * The multiply-add peak of this machine in this engine, in GFLOP/s.
 */
export function peakGflops(): number;

/**
 * The three quartiles.
 */
export function quartiles(values: Float64Array | number[]): Float64Array;

/**
 * The share `hits / n` with its 95 % interval.
 */
export function share(hits: number, n: number): Float64Array;

/**
 * Sends panics to the console with their place, once for each instance.
 */
export function start(): void;

export type InitInput = RequestInfo | URL | Response | BufferSource | WebAssembly.Module;

export interface InitOutput {
    readonly memory: WebAssembly.Memory;
    readonly __wbg_guards_free: (a: number, b: number) => void;
    readonly __wbg_network_free: (a: number, b: number) => void;
    readonly __wbg_samples_free: (a: number, b: number) => void;
    readonly __wbg_subject_free: (a: number, b: number) => void;
    readonly __wbg_trial_free: (a: number, b: number) => void;
    readonly __wbg_universal_free: (a: number, b: number) => void;
    readonly bench: (a: number, b: number, c: number) => [number, number, number];
    readonly build: () => [number, number];
    readonly catalogue: () => any;
    readonly described: (a: number, b: number) => [number, number, number];
    readonly grade: (a: any, b: number, c: number, d: any) => [number, number, number];
    readonly guards_add: (a: number, b: number) => [number, number];
    readonly guards_new: () => number;
    readonly median: (a: number, b: number) => [number, number];
    readonly network_about: (a: number) => [number, number, number];
    readonly network_facts: (a: number) => any;
    readonly network_guards: (a: number, b: number, c: number) => [number, number, number, number];
    readonly network_mapLabels: (a: number) => [number, number];
    readonly network_mapPoints: (a: number) => [number, number];
    readonly network_new: (a: number, b: number, c: number, d: number) => [number, number, number];
    readonly network_see: (a: number, b: number, c: number) => [number, number, number, number];
    readonly pairedDifference: (a: number, b: number, c: number) => [number, number];
    readonly peakGflops: () => number;
    readonly quartiles: (a: number, b: number) => [number, number];
    readonly samples_indices: (a: number) => [number, number];
    readonly samples_labels: (a: number) => [number, number];
    readonly samples_new: (a: number, b: number, c: number, d: number) => [number, number, number];
    readonly samples_pixels: (a: number) => [number, number];
    readonly share: (a: number, b: number) => [number, number];
    readonly start: () => void;
    readonly subject_lossAndGradient: (a: number, b: number, c: number, d: number) => [number, number, number, number];
    readonly subject_new: (a: number, b: number, c: number, d: number, e: number, f: number, g: number, h: number) => [number, number, number];
    readonly subject_read: (a: number, b: number, c: number, d: number) => [number, number, number];
    readonly subject_takenFor: (a: number, b: number) => void;
    readonly trial_at: (a: number) => number;
    readonly trial_frame: (a: number) => [number, number, number];
    readonly trial_judged: (a: number, b: number, c: any) => [number, number, number];
    readonly trial_new: (a: number, b: any, c: any) => [number, number, number];
    readonly trial_step: (a: number, b: number) => [number, number, number];
    readonly universal_change: (a: number) => [number, number];
    readonly universal_new: (a: number, b: number, c: number, d: number, e: number, f: number, g: number, h: number) => [number, number, number];
    readonly universal_pass: (a: number, b: number) => [number, number, number];
    readonly universal_readings: (a: number) => [number, number];
    readonly __wbindgen_malloc: (a: number, b: number) => number;
    readonly __wbindgen_realloc: (a: number, b: number, c: number, d: number) => number;
    readonly __wbindgen_free: (a: number, b: number, c: number) => void;
    readonly __wbindgen_exn_store: (a: number) => void;
    readonly __externref_table_alloc: () => number;
    readonly __wbindgen_externrefs: WebAssembly.Table;
    readonly __externref_table_dealloc: (a: number) => void;
    readonly __externref_drop_slice: (a: number, b: number) => void;
    readonly __wbindgen_start: () => void;
}

export type SyncInitInput = BufferSource | WebAssembly.Module;

/**
 * Instantiates the given `module`, which can either be bytes or
 * a precompiled `WebAssembly.Module`.
 *
 * @param {{ module: SyncInitInput }} module - Passing `SyncInitInput` directly is deprecated.
 *
 * @returns {InitOutput}
 */
export function initSync(module: { module: SyncInitInput } | SyncInitInput): InitOutput;

/**
 * If `module_or_path` is {RequestInfo} or {URL}, makes a request and
 * for everything else, calls `WebAssembly.instantiate` directly.
 *
 * @param {{ module_or_path: InitInput | Promise<InitInput> }} module_or_path - Passing `InitInput` directly is deprecated.
 *
 * @returns {Promise<InitOutput>}
 */
export default function __wbg_init (module_or_path?: { module_or_path: InitInput | Promise<InitInput> } | InitInput | Promise<InitInput>): Promise<InitOutput>;
