/* tslint:disable */
/* eslint-disable */

/**
 * An attack on one image.
 */
export class Attack {
    free(): void;
    [Symbol.dispose](): void;
    /**
     * The image that the latest progress describes.
     */
    image(): Float32Array;
    /**
     * An attack on an image in [0, 1]: towards `label`, or away from it when not `targeted`. `start` is an image of the wanted
     * label, for attacks that see labels alone; empty where there is none.
     */
    constructor(network: Network, image: Float32Array | number[], label: number, targeted: boolean, options: AttackOptions, start: Float32Array | number[]);
    /**
     * The best image so far, measured.
     */
    outcome(network: Network): Outcome;
    /**
     * The probabilities of all labels at that image.
     */
    probabilities(): Float32Array;
    /**
     * Takes a step; the first call evaluates the start.
     */
    step(network: Network): Progress;
}

/**
 * An attack as data: a method with its defaults, and setters.
 */
export class AttackOptions {
    free(): void;
    [Symbol.dispose](): void;
    /**
     * The loss of APGD: `ce`, `dlr` or `margin`.
     */
    descend(loss: string): void;
    /**
     * The defaults of `linf`, `l1`, `lbfgs`, `apgd`, `strongest`, `square` or `hopskipjump`.
     */
    constructor(method: string);
    /**
     * The sparse form of the L1 attack instead of the published one.
     */
    sparse(): void;
    /**
     * The norm of an attack that knows several: `linf`, `l1` or `l2`. Throws for one that it does not know. The budget
     * is then that norm's default.
     */
    under(norm: string): void;
    /**
     * The budget: epsilon, or c.
     */
    set budget(value: number);
    /**
     * Probability of the false label that counts as success.
     */
    set confidence(value: number);
    /**
     * Whether the first success is the end.
     */
    set earlyStop(value: boolean);
    /**
     * Runs of APGD from different starts.
     */
    set restarts(value: number);
    /**
     * Seeks the smallest budget that succeeds.
     */
    set search(value: boolean);
    /**
     * A random start, drawn with this seed.
     */
    set seed(value: number);
    /**
     * Steps of a round; iterations of a minimisation.
     */
    set steps(value: number);
}

/**
 * How long a gradient takes; see `bench::Row`.
 */
export class BenchRow {
    private constructor();
    /**
     ** Return copy of self without private attributes.
     */
    toJSON(): Object;
    /**
     * Return stringified version of self.
     */
    toString(): string;
    free(): void;
    [Symbol.dispose](): void;
    /**
     * Times the gradient at `images`, one after the other, as many as the batch.
     */
    static measure(network: Network, images: Float32Array | number[], now: Function): BenchRow;
    /**
     * Images in a batch.
     */
    readonly batch: number;
    /**
     * Billion operations a second, skipped ones counted.
     */
    readonly gflops: number;
    /**
     * The network's name.
     */
    readonly model: string;
    /**
     * Milliseconds a batch.
     */
    readonly ms: number;
    /**
     * That in percent of the peak.
     */
    readonly percentOfPeak: number;
}

/**
 * A network with its weights.
 */
export class Network {
    free(): void;
    [Symbol.dispose](): void;
    /**
     * The facts of the weights file, by name.
     */
    facts(): object;
    /**
     * How a network that samples answers over fresh draws: `[share of answers that reach the goal, label that most of
     * them name, mean confidence]`; empty where nothing is drawn. Each `index` has draws of its own.
     */
    fresh(image: Float32Array | number[], label: number, targeted: boolean, index: number): Float64Array;
    /**
     * `{valid, grade}` of an outcome under thresholds of the visitor's.
     */
    grade(success: boolean, l2: number, ssim: number, confidence: number, valid_at: number, confident_at: number): object;
    /**
     * Whether it is a variational auto-encoder.
     */
    isVae(): boolean;
    /**
     * What each label stands for.
     */
    labels(): string[];
    /**
     * Cross-entropy of `label`, logits and gradient at an image, one after the other in one array.
     */
    lossAndGradient(image: Float32Array | number[], label: number): Float32Array;
    /**
     * The labels of these images.
     */
    mapLabels(): Uint8Array;
    /**
     * The map of a VAE's latent space: positions of test images, two numbers each; empty where there is none.
     */
    mapPoints(): Float32Array;
    /**
     * Reads a weights file; throws what is wrong with it.
     */
    constructor(bytes: Uint8Array | number[]);
    /**
     * Probabilities of all labels for an image in [0, 1].
     */
    probabilities(image: Float32Array | number[]): Float32Array;
    /**
     * Lets a VAE read through draws of the latent vector, one for each answer, instead of through its mean. Attacks
     * then see the mean loss over some fixed draws.
     */
    sample(): void;
    /**
     * What a VAE makes of an image: the place of its latent vector on the map (two numbers, NaN where there is no map),
     * then the image that the decoder makes of it.
     */
    see(image: Float32Array | number[]): Float32Array;
    /**
     * By what an attack is graded unless a visitor says otherwise: `{measure: "l2" or "ssim", valid, confident}`.
     */
    thresholds(): object;
    /**
     * The name that a visitor reads.
     */
    title(): string;
}

/**
 * The best image that an attack came by, with what is measured of it.
 */
export class Outcome {
    private constructor();
    free(): void;
    [Symbol.dispose](): void;
    /**
     * The image.
     */
    image(): Float32Array;
    /**
     * The probabilities of all labels there.
     */
    probabilities(): Float32Array;
    /**
     * Where the attack stood.
     */
    progress(): Progress;
    /**
     * The fixed budget, or the smallest that was found.
     */
    readonly budget: number | undefined;
    /**
     * Structural similarity with the original.
     */
    readonly ssim: number;
    /**
     * Whether it still fools the network when its pixels are rounded to 8 bits.
     */
    readonly survivesPng: boolean;
}

/**
 * Where an attack stands.
 */
export class Progress {
    private constructor();
    /**
     ** Return copy of self without private attributes.
     */
    toJSON(): Object;
    /**
     * Return stringified version of self.
     */
    toString(): string;
    free(): void;
    [Symbol.dispose](): void;
    /**
     * What is allowed in this round.
     */
    readonly budget: number;
    /**
     * Probability of the false label.
     */
    readonly confidence: number;
    /**
     * Whether this is the end.
     */
    readonly done: boolean;
    /**
     * Gradients computed so far.
     */
    readonly gradients: number;
    /**
     * Pixels that changed.
     */
    readonly l0: number;
    /**
     * Sum of absolute changes, in pixel units.
     */
    readonly l1: number;
    /**
     * Euclidean length of the change.
     */
    readonly l2: number;
    /**
     * Largest change of a pixel.
     */
    readonly linf: number;
    /**
     * Cross-entropy of the goal's label, in nats.
     */
    readonly loss: number;
    /**
     * The label that the network reads.
     */
    readonly predicted: number;
    /**
     * Images that the network has been asked about so far.
     */
    readonly queries: number;
    /**
     * How often the attack has begun afresh, with another budget.
     */
    readonly round: number;
    /**
     * Steps taken; 0 describes the original.
     */
    readonly step: number;
    /**
     * Whether the goal is reached.
     */
    readonly success: boolean;
}

/**
 * Digits that come with the page: its sample, or those of the lab.
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
     * Reads a file of MNIST digits; throws what is wrong with it.
     */
    constructor(bytes: Uint8Array | number[]);
    /**
     * Image after image, 0 to 255.
     */
    pixels(): Uint8Array;
}

/**
 * Which instruction set this build runs on, e.g. `simd128`.
 */
export function build(): string;

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
 * The multiply-add peak of this machine in this engine, in GFLOP/s. `now` is a clock in milliseconds.
 */
export function peakGflops(now: Function): number;

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
    readonly __wbg_attack_free: (a: number, b: number) => void;
    readonly __wbg_attackoptions_free: (a: number, b: number) => void;
    readonly __wbg_benchrow_free: (a: number, b: number) => void;
    readonly __wbg_network_free: (a: number, b: number) => void;
    readonly __wbg_outcome_free: (a: number, b: number) => void;
    readonly __wbg_progress_free: (a: number, b: number) => void;
    readonly __wbg_samples_free: (a: number, b: number) => void;
    readonly attack_image: (a: number) => [number, number];
    readonly attack_new: (a: number, b: number, c: number, d: number, e: number, f: number, g: number, h: number) => [number, number, number];
    readonly attack_outcome: (a: number, b: number) => [number, number, number];
    readonly attack_probabilities: (a: number) => [number, number];
    readonly attack_step: (a: number, b: number) => [number, number, number];
    readonly attackoptions_descend: (a: number, b: number, c: number) => [number, number];
    readonly attackoptions_new: (a: number, b: number) => [number, number, number];
    readonly attackoptions_set_budget: (a: number, b: number) => void;
    readonly attackoptions_set_confidence: (a: number, b: number) => void;
    readonly attackoptions_set_earlyStop: (a: number, b: number) => void;
    readonly attackoptions_set_restarts: (a: number, b: number) => void;
    readonly attackoptions_set_search: (a: number, b: number) => void;
    readonly attackoptions_set_seed: (a: number, b: number) => void;
    readonly attackoptions_set_steps: (a: number, b: number) => void;
    readonly attackoptions_sparse: (a: number) => void;
    readonly attackoptions_under: (a: number, b: number, c: number) => [number, number];
    readonly benchrow_batch: (a: number) => number;
    readonly benchrow_gflops: (a: number) => number;
    readonly benchrow_measure: (a: number, b: number, c: number, d: any) => [number, number, number];
    readonly benchrow_model: (a: number) => [number, number];
    readonly benchrow_ms: (a: number) => number;
    readonly benchrow_percentOfPeak: (a: number) => number;
    readonly build: () => [number, number];
    readonly median: (a: number, b: number) => [number, number];
    readonly network_facts: (a: number) => [number, number, number];
    readonly network_fresh: (a: number, b: number, c: number, d: number, e: number, f: number) => [number, number, number, number];
    readonly network_grade: (a: number, b: number, c: number, d: number, e: number, f: number, g: number) => [number, number, number];
    readonly network_isVae: (a: number) => number;
    readonly network_labels: (a: number) => [number, number];
    readonly network_lossAndGradient: (a: number, b: number, c: number, d: number) => [number, number, number, number];
    readonly network_mapLabels: (a: number) => [number, number];
    readonly network_mapPoints: (a: number) => [number, number];
    readonly network_new: (a: number, b: number) => [number, number, number];
    readonly network_probabilities: (a: number, b: number, c: number) => [number, number, number, number];
    readonly network_sample: (a: number) => [number, number];
    readonly network_see: (a: number, b: number, c: number) => [number, number, number, number];
    readonly network_thresholds: (a: number) => [number, number, number];
    readonly network_title: (a: number) => [number, number];
    readonly outcome_budget: (a: number) => [number, number];
    readonly outcome_image: (a: number) => [number, number];
    readonly outcome_probabilities: (a: number) => [number, number];
    readonly outcome_progress: (a: number) => number;
    readonly outcome_ssim: (a: number) => number;
    readonly outcome_survivesPng: (a: number) => number;
    readonly pairedDifference: (a: number, b: number, c: number) => [number, number];
    readonly peakGflops: (a: any) => number;
    readonly progress_budget: (a: number) => number;
    readonly progress_confidence: (a: number) => number;
    readonly progress_done: (a: number) => number;
    readonly progress_gradients: (a: number) => number;
    readonly progress_l0: (a: number) => number;
    readonly progress_l1: (a: number) => number;
    readonly progress_l2: (a: number) => number;
    readonly progress_linf: (a: number) => number;
    readonly progress_loss: (a: number) => number;
    readonly progress_predicted: (a: number) => number;
    readonly progress_queries: (a: number) => number;
    readonly progress_round: (a: number) => number;
    readonly progress_step: (a: number) => number;
    readonly progress_success: (a: number) => number;
    readonly quartiles: (a: number, b: number) => [number, number];
    readonly samples_indices: (a: number) => [number, number];
    readonly samples_labels: (a: number) => [number, number];
    readonly samples_new: (a: number, b: number) => [number, number, number];
    readonly samples_pixels: (a: number) => [number, number];
    readonly share: (a: number, b: number) => [number, number];
    readonly start: () => void;
    readonly __wbindgen_exn_store: (a: number) => void;
    readonly __externref_table_alloc: () => number;
    readonly __wbindgen_externrefs: WebAssembly.Table;
    readonly __wbindgen_free: (a: number, b: number, c: number) => void;
    readonly __wbindgen_malloc: (a: number, b: number) => number;
    readonly __wbindgen_realloc: (a: number, b: number, c: number, d: number) => number;
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
