/* @ts-self-types="./misread.d.ts" */

/**
 * An attack on one image.
 */
export class Attack {
    __destroy_into_raw() {
        const ptr = this.__wbg_ptr;
        this.__wbg_ptr = 0;
        AttackFinalization.unregister(this);
        return ptr;
    }
    free() {
        const ptr = this.__destroy_into_raw();
        wasm.__wbg_attack_free(ptr, 0);
    }
    /**
     * The image that the latest progress describes.
     * @returns {Float32Array}
     */
    image() {
        const ret = wasm.attack_image(this.__wbg_ptr);
        var v1 = getArrayF32FromWasm0(ret[0], ret[1]).slice();
        wasm.__wbindgen_free(ret[0], ret[1] * 4, 4);
        return v1;
    }
    /**
     * An attack on an image in [0, 1]: towards `label`, or away from it when not `targeted`. `start` is an image of the wanted
     * label, for attacks that see labels alone; empty where there is none.
     * @param {Network} network
     * @param {Float32Array | number[]} image
     * @param {number} label
     * @param {boolean} targeted
     * @param {AttackOptions} options
     * @param {Float32Array | number[]} start
     */
    constructor(network, image, label, targeted, options, start) {
        _assertClass(network, Network);
        _assertClass(options, AttackOptions);
        const val3 = +label;
        const val4 = +targeted;
        let ptr0, len0, ptr1, len1;
        try {
            ptr0 = passArrayF32ToWasm0(image, wasm.__wbindgen_malloc);
            len0 = WASM_VECTOR_LEN;
            ptr1 = passArrayF32ToWasm0(start, wasm.__wbindgen_malloc);
            len1 = WASM_VECTOR_LEN;
        } catch (e) {
            if (ptr1) { wasm.__wbindgen_free(ptr1, len1 * 4, 4); }
            if (ptr0) { wasm.__wbindgen_free(ptr0, len0 * 4, 4); }
            throw e;
        }
        const ret = wasm.attack_new(network.__wbg_ptr, ptr0, len0, val3, val4, options.__wbg_ptr, ptr1, len1);
        if (ret[2]) {
            throw takeFromExternrefTable0(ret[1]);
        }
        this.__wbg_ptr = ret[0];
        AttackFinalization.register(this, this.__wbg_ptr, this);
        return this;
    }
    /**
     * The best image so far, measured.
     * @param {Network} network
     * @returns {Outcome}
     */
    outcome(network) {
        _assertClass(network, Network);
        const ret = wasm.attack_outcome(this.__wbg_ptr, network.__wbg_ptr);
        if (ret[2]) {
            throw takeFromExternrefTable0(ret[1]);
        }
        return Outcome.__wrap(ret[0]);
    }
    /**
     * The probabilities of all labels at that image.
     * @returns {Float32Array}
     */
    probabilities() {
        const ret = wasm.attack_probabilities(this.__wbg_ptr);
        var v1 = getArrayF32FromWasm0(ret[0], ret[1]).slice();
        wasm.__wbindgen_free(ret[0], ret[1] * 4, 4);
        return v1;
    }
    /**
     * Takes a step; the first call evaluates the start.
     * @param {Network} network
     * @returns {Progress}
     */
    step(network) {
        _assertClass(network, Network);
        const ret = wasm.attack_step(this.__wbg_ptr, network.__wbg_ptr);
        if (ret[2]) {
            throw takeFromExternrefTable0(ret[1]);
        }
        return Progress.__wrap(ret[0]);
    }
}
if (Symbol.dispose) Attack.prototype[Symbol.dispose] = Attack.prototype.free;

/**
 * An attack as data: a method with its defaults, and setters.
 */
export class AttackOptions {
    __destroy_into_raw() {
        const ptr = this.__wbg_ptr;
        this.__wbg_ptr = 0;
        AttackOptionsFinalization.unregister(this);
        return ptr;
    }
    free() {
        const ptr = this.__destroy_into_raw();
        wasm.__wbg_attackoptions_free(ptr, 0);
    }
    /**
     * The loss of APGD: `ce`, `dlr` or `margin`.
     * @param {string} loss
     */
    descend(loss) {
        const ptr0 = passStringToWasm0(loss, wasm.__wbindgen_malloc, wasm.__wbindgen_realloc);
        const len0 = WASM_VECTOR_LEN;
        const ret = wasm.attackoptions_descend(this.__wbg_ptr, ptr0, len0);
        if (ret[1]) {
            throw takeFromExternrefTable0(ret[0]);
        }
    }
    /**
     * The defaults of `linf`, `l1`, `lbfgs`, `apgd`, `strongest`, `square` or `hopskipjump`.
     * @param {string} method
     */
    constructor(method) {
        const ptr0 = passStringToWasm0(method, wasm.__wbindgen_malloc, wasm.__wbindgen_realloc);
        const len0 = WASM_VECTOR_LEN;
        const ret = wasm.attackoptions_new(ptr0, len0);
        if (ret[2]) {
            throw takeFromExternrefTable0(ret[1]);
        }
        this.__wbg_ptr = ret[0];
        AttackOptionsFinalization.register(this, this.__wbg_ptr, this);
        return this;
    }
    /**
     * The budget: epsilon, or c.
     * @param {number} budget
     */
    set budget(budget) {
        wasm.attackoptions_set_budget(this.__wbg_ptr, budget);
    }
    /**
     * Probability of the false label that counts as success.
     * @param {number} confidence
     */
    set confidence(confidence) {
        wasm.attackoptions_set_confidence(this.__wbg_ptr, confidence);
    }
    /**
     * Whether the first success is the end.
     * @param {boolean} early_stop
     */
    set earlyStop(early_stop) {
        wasm.attackoptions_set_earlyStop(this.__wbg_ptr, early_stop);
    }
    /**
     * Runs of APGD from different starts.
     * @param {number} restarts
     */
    set restarts(restarts) {
        wasm.attackoptions_set_restarts(this.__wbg_ptr, restarts);
    }
    /**
     * Seeks the smallest budget that succeeds.
     * @param {boolean} search
     */
    set search(search) {
        wasm.attackoptions_set_search(this.__wbg_ptr, search);
    }
    /**
     * A random start, drawn with this seed.
     * @param {number} seed
     */
    set seed(seed) {
        wasm.attackoptions_set_seed(this.__wbg_ptr, seed);
    }
    /**
     * Steps of a round; iterations of a minimisation.
     * @param {number} steps
     */
    set steps(steps) {
        wasm.attackoptions_set_steps(this.__wbg_ptr, steps);
    }
    /**
     * The sparse form of the L1 attack instead of the published one.
     */
    sparse() {
        wasm.attackoptions_sparse(this.__wbg_ptr);
    }
    /**
     * The norm of an attack that knows several: `linf`, `l1` or `l2`. Throws for one that it does not know. The budget
     * is then that norm's default.
     * @param {string} norm
     */
    under(norm) {
        const ptr0 = passStringToWasm0(norm, wasm.__wbindgen_malloc, wasm.__wbindgen_realloc);
        const len0 = WASM_VECTOR_LEN;
        const ret = wasm.attackoptions_under(this.__wbg_ptr, ptr0, len0);
        if (ret[1]) {
            throw takeFromExternrefTable0(ret[0]);
        }
    }
}
if (Symbol.dispose) AttackOptions.prototype[Symbol.dispose] = AttackOptions.prototype.free;

/**
 * How long a gradient takes; see `bench::Row`.
 */
export class BenchRow {
    static __wrap(ptr) {
        const obj = Object.create(BenchRow.prototype);
        obj.__wbg_ptr = ptr;
        BenchRowFinalization.register(obj, obj.__wbg_ptr, obj);
        return obj;
    }
    toJSON() {
        return {
            batch: this.batch,
            gflops: this.gflops,
            model: this.model,
            ms: this.ms,
            percentOfPeak: this.percentOfPeak,
        };
    }
    toString() {
        return JSON.stringify(this);
    }
    __destroy_into_raw() {
        const ptr = this.__wbg_ptr;
        this.__wbg_ptr = 0;
        BenchRowFinalization.unregister(this);
        return ptr;
    }
    free() {
        const ptr = this.__destroy_into_raw();
        wasm.__wbg_benchrow_free(ptr, 0);
    }
    /**
     * Images in a batch.
     * @returns {number}
     */
    get batch() {
        const ret = wasm.benchrow_batch(this.__wbg_ptr);
        return ret >>> 0;
    }
    /**
     * Billion operations a second, skipped ones counted.
     * @returns {number}
     */
    get gflops() {
        const ret = wasm.benchrow_gflops(this.__wbg_ptr);
        return ret;
    }
    /**
     * Times the gradient at `images`, one after the other, as many as the batch.
     * @param {Network} network
     * @param {Float32Array | number[]} images
     * @param {Function} now
     * @returns {BenchRow}
     */
    static measure(network, images, now) {
        _assertClass(network, Network);
        const ptr0 = passArrayF32ToWasm0(images, wasm.__wbindgen_malloc);
        const len0 = WASM_VECTOR_LEN;
        const ret = wasm.benchrow_measure(network.__wbg_ptr, ptr0, len0, now);
        if (ret[2]) {
            throw takeFromExternrefTable0(ret[1]);
        }
        return BenchRow.__wrap(ret[0]);
    }
    /**
     * The network's name.
     * @returns {string}
     */
    get model() {
        let deferred1_0;
        let deferred1_1;
        try {
            const ret = wasm.benchrow_model(this.__wbg_ptr);
            deferred1_0 = ret[0];
            deferred1_1 = ret[1];
            return getStringFromWasm0(ret[0], ret[1]);
        } finally {
            wasm.__wbindgen_free(deferred1_0, deferred1_1, 1);
        }
    }
    /**
     * Milliseconds a batch.
     * @returns {number}
     */
    get ms() {
        const ret = wasm.benchrow_ms(this.__wbg_ptr);
        return ret;
    }
    /**
     * That in percent of the peak.
     * @returns {number}
     */
    get percentOfPeak() {
        const ret = wasm.benchrow_percentOfPeak(this.__wbg_ptr);
        return ret;
    }
}
if (Symbol.dispose) BenchRow.prototype[Symbol.dispose] = BenchRow.prototype.free;

/**
 * A network with its weights.
 */
export class Network {
    __destroy_into_raw() {
        const ptr = this.__wbg_ptr;
        this.__wbg_ptr = 0;
        NetworkFinalization.unregister(this);
        return ptr;
    }
    free() {
        const ptr = this.__destroy_into_raw();
        wasm.__wbg_network_free(ptr, 0);
    }
    /**
     * The facts of the weights file, by name.
     * @returns {object}
     */
    facts() {
        const ret = wasm.network_facts(this.__wbg_ptr);
        if (ret[2]) {
            throw takeFromExternrefTable0(ret[1]);
        }
        return takeFromExternrefTable0(ret[0]);
    }
    /**
     * How a network that samples answers over fresh draws: `[share of answers that reach the goal, label that most of
     * them name, mean confidence]`; empty where nothing is drawn. Each `index` has draws of its own.
     * @param {Float32Array | number[]} image
     * @param {number} label
     * @param {boolean} targeted
     * @param {number} index
     * @returns {Float64Array}
     */
    fresh(image, label, targeted, index) {
        const val2 = +label;
        const val3 = +targeted;
        const val4 = +index;
        const ptr0 = passArrayF32ToWasm0(image, wasm.__wbindgen_malloc);
        const len0 = WASM_VECTOR_LEN;
        const ret = wasm.network_fresh(this.__wbg_ptr, ptr0, len0, val2, val3, val4);
        if (ret[3]) {
            throw takeFromExternrefTable0(ret[2]);
        }
        var v5 = getArrayF64FromWasm0(ret[0], ret[1]).slice();
        wasm.__wbindgen_free(ret[0], ret[1] * 8, 8);
        return v5;
    }
    /**
     * `{valid, grade}` of an outcome under thresholds of the visitor's.
     * @param {boolean} success
     * @param {number} l2
     * @param {number} ssim
     * @param {number} confidence
     * @param {number} valid_at
     * @param {number} confident_at
     * @returns {object}
     */
    grade(success, l2, ssim, confidence, valid_at, confident_at) {
        const ret = wasm.network_grade(this.__wbg_ptr, success, l2, ssim, confidence, valid_at, confident_at);
        if (ret[2]) {
            throw takeFromExternrefTable0(ret[1]);
        }
        return takeFromExternrefTable0(ret[0]);
    }
    /**
     * Whether it is a variational auto-encoder.
     * @returns {boolean}
     */
    isVae() {
        const ret = wasm.network_isVae(this.__wbg_ptr);
        return ret !== 0;
    }
    /**
     * What each label stands for.
     * @returns {string[]}
     */
    labels() {
        const ret = wasm.network_labels(this.__wbg_ptr);
        var v1 = getArrayJsValueFromWasm0(ret[0], ret[1]);
        wasm.__wbindgen_free(ret[0], ret[1] * 4, 4);
        return v1;
    }
    /**
     * Cross-entropy of `label`, logits and gradient at an image, one after the other in one array.
     * @param {Float32Array | number[]} image
     * @param {number} label
     * @returns {Float32Array}
     */
    lossAndGradient(image, label) {
        const val2 = +label;
        const ptr0 = passArrayF32ToWasm0(image, wasm.__wbindgen_malloc);
        const len0 = WASM_VECTOR_LEN;
        const ret = wasm.network_lossAndGradient(this.__wbg_ptr, ptr0, len0, val2);
        if (ret[3]) {
            throw takeFromExternrefTable0(ret[2]);
        }
        var v3 = getArrayF32FromWasm0(ret[0], ret[1]).slice();
        wasm.__wbindgen_free(ret[0], ret[1] * 4, 4);
        return v3;
    }
    /**
     * The labels of these images.
     * @returns {Uint8Array}
     */
    mapLabels() {
        const ret = wasm.network_mapLabels(this.__wbg_ptr);
        var v1 = getArrayU8FromWasm0(ret[0], ret[1]).slice();
        wasm.__wbindgen_free(ret[0], ret[1] * 1, 1);
        return v1;
    }
    /**
     * The map of a VAE's latent space: positions of test images, two numbers each; empty where there is none.
     * @returns {Float32Array}
     */
    mapPoints() {
        const ret = wasm.network_mapPoints(this.__wbg_ptr);
        var v1 = getArrayF32FromWasm0(ret[0], ret[1]).slice();
        wasm.__wbindgen_free(ret[0], ret[1] * 4, 4);
        return v1;
    }
    /**
     * Reads a weights file; throws what is wrong with it.
     * @param {Uint8Array | number[]} bytes
     */
    constructor(bytes) {
        const ptr0 = passArray8ToWasm0(bytes, wasm.__wbindgen_malloc);
        const len0 = WASM_VECTOR_LEN;
        const ret = wasm.network_new(ptr0, len0);
        if (ret[2]) {
            throw takeFromExternrefTable0(ret[1]);
        }
        this.__wbg_ptr = ret[0];
        NetworkFinalization.register(this, this.__wbg_ptr, this);
        return this;
    }
    /**
     * Probabilities of all labels for an image in [0, 1].
     * @param {Float32Array | number[]} image
     * @returns {Float32Array}
     */
    probabilities(image) {
        const ptr0 = passArrayF32ToWasm0(image, wasm.__wbindgen_malloc);
        const len0 = WASM_VECTOR_LEN;
        const ret = wasm.network_probabilities(this.__wbg_ptr, ptr0, len0);
        if (ret[3]) {
            throw takeFromExternrefTable0(ret[2]);
        }
        var v2 = getArrayF32FromWasm0(ret[0], ret[1]).slice();
        wasm.__wbindgen_free(ret[0], ret[1] * 4, 4);
        return v2;
    }
    /**
     * Lets a VAE read through draws of the latent vector, one for each answer, instead of through its mean. Attacks
     * then see the mean loss over some fixed draws.
     */
    sample() {
        const ret = wasm.network_sample(this.__wbg_ptr);
        if (ret[1]) {
            throw takeFromExternrefTable0(ret[0]);
        }
    }
    /**
     * What a VAE makes of an image: the place of its latent vector on the map (two numbers, NaN where there is no map),
     * then the image that the decoder makes of it.
     * @param {Float32Array | number[]} image
     * @returns {Float32Array}
     */
    see(image) {
        const ptr0 = passArrayF32ToWasm0(image, wasm.__wbindgen_malloc);
        const len0 = WASM_VECTOR_LEN;
        const ret = wasm.network_see(this.__wbg_ptr, ptr0, len0);
        if (ret[3]) {
            throw takeFromExternrefTable0(ret[2]);
        }
        var v2 = getArrayF32FromWasm0(ret[0], ret[1]).slice();
        wasm.__wbindgen_free(ret[0], ret[1] * 4, 4);
        return v2;
    }
    /**
     * By what an attack is graded unless a visitor says otherwise: `{measure: "l2" or "ssim", valid, confident}`.
     * @returns {object}
     */
    thresholds() {
        const ret = wasm.network_thresholds(this.__wbg_ptr);
        if (ret[2]) {
            throw takeFromExternrefTable0(ret[1]);
        }
        return takeFromExternrefTable0(ret[0]);
    }
    /**
     * The name that a visitor reads.
     * @returns {string}
     */
    title() {
        let deferred1_0;
        let deferred1_1;
        try {
            const ret = wasm.network_title(this.__wbg_ptr);
            deferred1_0 = ret[0];
            deferred1_1 = ret[1];
            return getStringFromWasm0(ret[0], ret[1]);
        } finally {
            wasm.__wbindgen_free(deferred1_0, deferred1_1, 1);
        }
    }
}
if (Symbol.dispose) Network.prototype[Symbol.dispose] = Network.prototype.free;

/**
 * The best image that an attack came by, with what is measured of it.
 */
export class Outcome {
    static __wrap(ptr) {
        const obj = Object.create(Outcome.prototype);
        obj.__wbg_ptr = ptr;
        OutcomeFinalization.register(obj, obj.__wbg_ptr, obj);
        return obj;
    }
    __destroy_into_raw() {
        const ptr = this.__wbg_ptr;
        this.__wbg_ptr = 0;
        OutcomeFinalization.unregister(this);
        return ptr;
    }
    free() {
        const ptr = this.__destroy_into_raw();
        wasm.__wbg_outcome_free(ptr, 0);
    }
    /**
     * The fixed budget, or the smallest that was found.
     * @returns {number | undefined}
     */
    get budget() {
        const ret = wasm.outcome_budget(this.__wbg_ptr);
        return ret[0] === 0 ? undefined : ret[1];
    }
    /**
     * The image.
     * @returns {Float32Array}
     */
    image() {
        const ret = wasm.outcome_image(this.__wbg_ptr);
        var v1 = getArrayF32FromWasm0(ret[0], ret[1]).slice();
        wasm.__wbindgen_free(ret[0], ret[1] * 4, 4);
        return v1;
    }
    /**
     * The probabilities of all labels there.
     * @returns {Float32Array}
     */
    probabilities() {
        const ret = wasm.outcome_probabilities(this.__wbg_ptr);
        var v1 = getArrayF32FromWasm0(ret[0], ret[1]).slice();
        wasm.__wbindgen_free(ret[0], ret[1] * 4, 4);
        return v1;
    }
    /**
     * Where the attack stood.
     * @returns {Progress}
     */
    progress() {
        const ret = wasm.outcome_progress(this.__wbg_ptr);
        return Progress.__wrap(ret);
    }
    /**
     * Structural similarity with the original.
     * @returns {number}
     */
    get ssim() {
        const ret = wasm.outcome_ssim(this.__wbg_ptr);
        return ret;
    }
    /**
     * Whether it still fools the network when its pixels are rounded to 8 bits.
     * @returns {boolean}
     */
    get survivesPng() {
        const ret = wasm.outcome_survivesPng(this.__wbg_ptr);
        return ret !== 0;
    }
}
if (Symbol.dispose) Outcome.prototype[Symbol.dispose] = Outcome.prototype.free;

/**
 * Where an attack stands.
 */
export class Progress {
    static __wrap(ptr) {
        const obj = Object.create(Progress.prototype);
        obj.__wbg_ptr = ptr;
        ProgressFinalization.register(obj, obj.__wbg_ptr, obj);
        return obj;
    }
    toJSON() {
        return {
            budget: this.budget,
            confidence: this.confidence,
            done: this.done,
            gradients: this.gradients,
            l0: this.l0,
            l1: this.l1,
            l2: this.l2,
            linf: this.linf,
            loss: this.loss,
            predicted: this.predicted,
            queries: this.queries,
            round: this.round,
            step: this.step,
            success: this.success,
        };
    }
    toString() {
        return JSON.stringify(this);
    }
    __destroy_into_raw() {
        const ptr = this.__wbg_ptr;
        this.__wbg_ptr = 0;
        ProgressFinalization.unregister(this);
        return ptr;
    }
    free() {
        const ptr = this.__destroy_into_raw();
        wasm.__wbg_progress_free(ptr, 0);
    }
    /**
     * What is allowed in this round.
     * @returns {number}
     */
    get budget() {
        const ret = wasm.progress_budget(this.__wbg_ptr);
        return ret;
    }
    /**
     * Probability of the false label.
     * @returns {number}
     */
    get confidence() {
        const ret = wasm.progress_confidence(this.__wbg_ptr);
        return ret;
    }
    /**
     * Whether this is the end.
     * @returns {boolean}
     */
    get done() {
        const ret = wasm.progress_done(this.__wbg_ptr);
        return ret !== 0;
    }
    /**
     * Gradients computed so far.
     * @returns {number}
     */
    get gradients() {
        const ret = wasm.progress_gradients(this.__wbg_ptr);
        return ret >>> 0;
    }
    /**
     * Pixels that changed.
     * @returns {number}
     */
    get l0() {
        const ret = wasm.progress_l0(this.__wbg_ptr);
        return ret >>> 0;
    }
    /**
     * Sum of absolute changes, in pixel units.
     * @returns {number}
     */
    get l1() {
        const ret = wasm.progress_l1(this.__wbg_ptr);
        return ret;
    }
    /**
     * Euclidean length of the change.
     * @returns {number}
     */
    get l2() {
        const ret = wasm.progress_l2(this.__wbg_ptr);
        return ret;
    }
    /**
     * Largest change of a pixel.
     * @returns {number}
     */
    get linf() {
        const ret = wasm.progress_linf(this.__wbg_ptr);
        return ret;
    }
    /**
     * Cross-entropy of the goal's label, in nats.
     * @returns {number}
     */
    get loss() {
        const ret = wasm.progress_loss(this.__wbg_ptr);
        return ret;
    }
    /**
     * The label that the network reads.
     * @returns {number}
     */
    get predicted() {
        const ret = wasm.progress_predicted(this.__wbg_ptr);
        return ret >>> 0;
    }
    /**
     * Images that the network has been asked about so far.
     * @returns {number}
     */
    get queries() {
        const ret = wasm.progress_queries(this.__wbg_ptr);
        return ret >>> 0;
    }
    /**
     * How often the attack has begun afresh, with another budget.
     * @returns {number}
     */
    get round() {
        const ret = wasm.progress_round(this.__wbg_ptr);
        return ret >>> 0;
    }
    /**
     * Steps taken; 0 describes the original.
     * @returns {number}
     */
    get step() {
        const ret = wasm.progress_step(this.__wbg_ptr);
        return ret >>> 0;
    }
    /**
     * Whether the goal is reached.
     * @returns {boolean}
     */
    get success() {
        const ret = wasm.progress_success(this.__wbg_ptr);
        return ret !== 0;
    }
}
if (Symbol.dispose) Progress.prototype[Symbol.dispose] = Progress.prototype.free;

/**
 * Digits that come with the page: its sample, or those of the lab.
 */
export class Samples {
    __destroy_into_raw() {
        const ptr = this.__wbg_ptr;
        this.__wbg_ptr = 0;
        SamplesFinalization.unregister(this);
        return ptr;
    }
    free() {
        const ptr = this.__destroy_into_raw();
        wasm.__wbg_samples_free(ptr, 0);
    }
    /**
     * Where each image stands in the test set.
     * @returns {Uint32Array}
     */
    indices() {
        const ret = wasm.samples_indices(this.__wbg_ptr);
        var v1 = getArrayU32FromWasm0(ret[0], ret[1]).slice();
        wasm.__wbindgen_free(ret[0], ret[1] * 4, 4);
        return v1;
    }
    /**
     * The true label of each image.
     * @returns {Uint8Array}
     */
    labels() {
        const ret = wasm.samples_labels(this.__wbg_ptr);
        var v1 = getArrayU8FromWasm0(ret[0], ret[1]).slice();
        wasm.__wbindgen_free(ret[0], ret[1] * 1, 1);
        return v1;
    }
    /**
     * Reads a file of MNIST digits; throws what is wrong with it.
     * @param {Uint8Array | number[]} bytes
     */
    constructor(bytes) {
        const ptr0 = passArray8ToWasm0(bytes, wasm.__wbindgen_malloc);
        const len0 = WASM_VECTOR_LEN;
        const ret = wasm.samples_new(ptr0, len0);
        if (ret[2]) {
            throw takeFromExternrefTable0(ret[1]);
        }
        this.__wbg_ptr = ret[0];
        SamplesFinalization.register(this, this.__wbg_ptr, this);
        return this;
    }
    /**
     * Image after image, 0 to 255.
     * @returns {Uint8Array}
     */
    pixels() {
        const ret = wasm.samples_pixels(this.__wbg_ptr);
        var v1 = getArrayU8FromWasm0(ret[0], ret[1]).slice();
        wasm.__wbindgen_free(ret[0], ret[1] * 1, 1);
        return v1;
    }
}
if (Symbol.dispose) Samples.prototype[Symbol.dispose] = Samples.prototype.free;

/**
 * Which instruction set this build runs on, e.g. `simd128`.
 * @returns {string}
 */
export function build() {
    let deferred1_0;
    let deferred1_1;
    try {
        const ret = wasm.build();
        deferred1_0 = ret[0];
        deferred1_1 = ret[1];
        return getStringFromWasm0(ret[0], ret[1]);
    } finally {
        wasm.__wbindgen_free(deferred1_0, deferred1_1, 1);
    }
}

/**
 * The median with its 95 % interval.
 * @param {Float64Array | number[]} values
 * @returns {Float64Array}
 */
export function median(values) {
    const ptr0 = passArrayF64ToWasm0(values, wasm.__wbindgen_malloc);
    const len0 = WASM_VECTOR_LEN;
    const ret = wasm.median(ptr0, len0);
    var v2 = getArrayF64FromWasm0(ret[0], ret[1]).slice();
    wasm.__wbindgen_free(ret[0], ret[1] * 8, 8);
    return v2;
}

/**
 * The difference between two shares of the same `n` things, given how many are in the first alone and in the second
 * alone, with its 95 % interval.
 * @param {number} first_alone
 * @param {number} second_alone
 * @param {number} n
 * @returns {Float64Array}
 */
export function pairedDifference(first_alone, second_alone, n) {
    const ret = wasm.pairedDifference(first_alone, second_alone, n);
    var v1 = getArrayF64FromWasm0(ret[0], ret[1]).slice();
    wasm.__wbindgen_free(ret[0], ret[1] * 8, 8);
    return v1;
}

/**
 * The multiply-add peak of this machine in this engine, in GFLOP/s. `now` is a clock in milliseconds.
 * @param {Function} now
 * @returns {number}
 */
export function peakGflops(now) {
    const ret = wasm.peakGflops(now);
    return ret;
}

/**
 * The three quartiles.
 * @param {Float64Array | number[]} values
 * @returns {Float64Array}
 */
export function quartiles(values) {
    const ptr0 = passArrayF64ToWasm0(values, wasm.__wbindgen_malloc);
    const len0 = WASM_VECTOR_LEN;
    const ret = wasm.quartiles(ptr0, len0);
    var v2 = getArrayF64FromWasm0(ret[0], ret[1]).slice();
    wasm.__wbindgen_free(ret[0], ret[1] * 8, 8);
    return v2;
}

/**
 * The share `hits / n` with its 95 % interval.
 * @param {number} hits
 * @param {number} n
 * @returns {Float64Array}
 */
export function share(hits, n) {
    const ret = wasm.share(hits, n);
    var v1 = getArrayF64FromWasm0(ret[0], ret[1]).slice();
    wasm.__wbindgen_free(ret[0], ret[1] * 8, 8);
    return v1;
}

/**
 * Sends panics to the console with their place, once for each instance.
 */
export function start() {
    wasm.start();
}
function __wbg_get_imports() {
    const import0 = {
        __proto__: null,
        __wbg_Error_208446807d0d1e30: function(arg0, arg1) {
            const ret = Error(getStringFromWasm0(arg0, arg1));
            return ret;
        },
        __wbg___wbindgen_number_get_934b640d0889af78: function(arg0, arg1) {
            const obj = arg1;
            const ret = typeof(obj) === 'number' ? obj : undefined;
            getDataViewMemory0().setFloat64((arg0 >>> 0) + 8 * 1, isLikeNone(ret) ? 0 : ret, true);
            getDataViewMemory0().setInt32((arg0 >>> 0) + 4 * 0, !isLikeNone(ret), true);
        },
        __wbg___wbindgen_throw_4c88d8bf264fd984: function(arg0, arg1) {
            throw new Error(getStringFromWasm0(arg0, arg1));
        },
        __wbg_call_40b008ba32f73991: function() { return handleError(function (arg0, arg1) {
            const ret = arg0.call(arg1);
            return ret;
        }, arguments); },
        __wbg_error_757e9472f8410341: function(arg0, arg1) {
            let deferred0_0;
            let deferred0_1;
            try {
                deferred0_0 = arg0;
                deferred0_1 = arg1;
                console.error(getStringFromWasm0(arg0, arg1));
            } finally {
                wasm.__wbindgen_free(deferred0_0, deferred0_1, 1);
            }
        },
        __wbg_new_bb74001155cb8ca8: function() {
            const ret = new Error();
            return ret;
        },
        __wbg_new_cd4348290afae586: function() {
            const ret = new Object();
            return ret;
        },
        __wbg_set_2793479888329cb6: function() { return handleError(function (arg0, arg1, arg2) {
            const ret = Reflect.set(arg0, arg1, arg2);
            return ret;
        }, arguments); },
        __wbg_stack_575c4e0918581b9c: function(arg0, arg1) {
            const ret = arg1.stack;
            const ptr1 = passStringToWasm0(ret, wasm.__wbindgen_malloc, wasm.__wbindgen_realloc);
            const len1 = WASM_VECTOR_LEN;
            getDataViewMemory0().setInt32((arg0 >>> 0) + 4 * 1, len1, true);
            getDataViewMemory0().setInt32((arg0 >>> 0) + 4 * 0, ptr1, true);
        },
        __wbindgen_generic_0000000000000001: function(arg0) {
            // Cast intrinsic for `F64 -> Externref`.
            const ret = arg0;
            return ret;
        },
        __wbindgen_generic_0000000000000002: function(arg0, arg1) {
            // Cast intrinsic for `Ref(String) -> Externref`.
            const ret = getStringFromWasm0(arg0, arg1);
            return ret;
        },
        __wbindgen_init_externref_table: function() {
            const table = wasm.__wbindgen_externrefs;
            table.set(0, undefined);
            table.set(1024, undefined);
            table.set(1025, null);
            table.set(1026, true);
            table.set(1027, false);
        },
    };
    return {
        __proto__: null,
        "./misread_bg.js": import0,
    };
}

const AttackFinalization = (typeof FinalizationRegistry === 'undefined')
    ? { register: () => {}, unregister: () => {} }
    : new FinalizationRegistry(ptr => wasm.__wbg_attack_free(ptr, 1));
const AttackOptionsFinalization = (typeof FinalizationRegistry === 'undefined')
    ? { register: () => {}, unregister: () => {} }
    : new FinalizationRegistry(ptr => wasm.__wbg_attackoptions_free(ptr, 1));
const BenchRowFinalization = (typeof FinalizationRegistry === 'undefined')
    ? { register: () => {}, unregister: () => {} }
    : new FinalizationRegistry(ptr => wasm.__wbg_benchrow_free(ptr, 1));
const NetworkFinalization = (typeof FinalizationRegistry === 'undefined')
    ? { register: () => {}, unregister: () => {} }
    : new FinalizationRegistry(ptr => wasm.__wbg_network_free(ptr, 1));
const OutcomeFinalization = (typeof FinalizationRegistry === 'undefined')
    ? { register: () => {}, unregister: () => {} }
    : new FinalizationRegistry(ptr => wasm.__wbg_outcome_free(ptr, 1));
const ProgressFinalization = (typeof FinalizationRegistry === 'undefined')
    ? { register: () => {}, unregister: () => {} }
    : new FinalizationRegistry(ptr => wasm.__wbg_progress_free(ptr, 1));
const SamplesFinalization = (typeof FinalizationRegistry === 'undefined')
    ? { register: () => {}, unregister: () => {} }
    : new FinalizationRegistry(ptr => wasm.__wbg_samples_free(ptr, 1));

function addToExternrefTable0(obj) {
    const idx = wasm.__externref_table_alloc();
    wasm.__wbindgen_externrefs.set(idx, obj);
    return idx;
}

function _assertClass(instance, klass) {
    if (!(instance instanceof klass)) {
        throw new Error(`expected instance of ${klass.name}`);
    }
}

function getArrayF32FromWasm0(ptr, len) {
    ptr = ptr >>> 0;
    return getFloat32ArrayMemory0().subarray(ptr / 4, ptr / 4 + len);
}

function getArrayF64FromWasm0(ptr, len) {
    ptr = ptr >>> 0;
    return getFloat64ArrayMemory0().subarray(ptr / 8, ptr / 8 + len);
}

function getArrayJsValueFromWasm0(ptr, len) {
    ptr = ptr >>> 0;
    const mem = getDataViewMemory0();
    const result = [];
    for (let i = ptr; i < ptr + 4 * len; i += 4) {
        result.push(wasm.__wbindgen_externrefs.get(mem.getUint32(i, true)));
    }
    wasm.__externref_drop_slice(ptr, len);
    return result;
}

function getArrayU32FromWasm0(ptr, len) {
    ptr = ptr >>> 0;
    return getUint32ArrayMemory0().subarray(ptr / 4, ptr / 4 + len);
}

function getArrayU8FromWasm0(ptr, len) {
    ptr = ptr >>> 0;
    return getUint8ArrayMemory0().subarray(ptr / 1, ptr / 1 + len);
}

let cachedDataViewMemory0 = null;
function getDataViewMemory0() {
    if (cachedDataViewMemory0 === null || cachedDataViewMemory0.buffer.detached === true || (cachedDataViewMemory0.buffer.detached === undefined && cachedDataViewMemory0.buffer !== wasm.memory.buffer)) {
        cachedDataViewMemory0 = new DataView(wasm.memory.buffer);
    }
    return cachedDataViewMemory0;
}

let cachedFloat32ArrayMemory0 = null;
function getFloat32ArrayMemory0() {
    if (cachedFloat32ArrayMemory0 === null || cachedFloat32ArrayMemory0.byteLength === 0) {
        cachedFloat32ArrayMemory0 = new Float32Array(wasm.memory.buffer);
    }
    return cachedFloat32ArrayMemory0;
}

let cachedFloat64ArrayMemory0 = null;
function getFloat64ArrayMemory0() {
    if (cachedFloat64ArrayMemory0 === null || cachedFloat64ArrayMemory0.byteLength === 0) {
        cachedFloat64ArrayMemory0 = new Float64Array(wasm.memory.buffer);
    }
    return cachedFloat64ArrayMemory0;
}

function getStringFromWasm0(ptr, len) {
    ptr = ptr >>> 0;
    return decodeText(getUint8ArrayMemory0().subarray(ptr, ptr + len));
}

let cachedUint32ArrayMemory0 = null;
function getUint32ArrayMemory0() {
    if (cachedUint32ArrayMemory0 === null || cachedUint32ArrayMemory0.byteLength === 0) {
        cachedUint32ArrayMemory0 = new Uint32Array(wasm.memory.buffer);
    }
    return cachedUint32ArrayMemory0;
}

let cachedUint8ArrayMemory0 = null;
function getUint8ArrayMemory0() {
    if (cachedUint8ArrayMemory0 === null || cachedUint8ArrayMemory0.byteLength === 0) {
        cachedUint8ArrayMemory0 = new Uint8Array(wasm.memory.buffer);
    }
    return cachedUint8ArrayMemory0;
}

function handleError(f, args) {
    try {
        return f.apply(this, args);
    } catch (e) {
        const idx = addToExternrefTable0(e);
        wasm.__wbindgen_exn_store(idx);
    }
}

function isLikeNone(x) {
    return x === undefined || x === null;
}

function passArray8ToWasm0(arg, malloc) {
    const ptr = malloc(arg.length * 1, 1) >>> 0;
    getUint8ArrayMemory0().set(arg, ptr / 1);
    WASM_VECTOR_LEN = arg.length;
    return ptr;
}

function passArrayF32ToWasm0(arg, malloc) {
    const ptr = malloc(arg.length * 4, 4) >>> 0;
    getFloat32ArrayMemory0().set(arg, ptr / 4);
    WASM_VECTOR_LEN = arg.length;
    return ptr;
}

function passArrayF64ToWasm0(arg, malloc) {
    const ptr = malloc(arg.length * 8, 8) >>> 0;
    getFloat64ArrayMemory0().set(arg, ptr / 8);
    WASM_VECTOR_LEN = arg.length;
    return ptr;
}

function passStringToWasm0(arg, malloc, realloc) {
    if (realloc === undefined) {
        const buf = cachedTextEncoder.encode(arg);
        const ptr = malloc(buf.length, 1) >>> 0;
        getUint8ArrayMemory0().subarray(ptr, ptr + buf.length).set(buf);
        WASM_VECTOR_LEN = buf.length;
        return ptr;
    }

    let len = arg.length;
    let ptr = malloc(len, 1) >>> 0;

    const mem = getUint8ArrayMemory0();

    let offset = 0;

    for (; offset < len; offset++) {
        const code = arg.charCodeAt(offset);
        if (code > 0x7F) break;
        mem[ptr + offset] = code;
    }
    if (offset !== len) {
        if (offset !== 0) {
            arg = arg.slice(offset);
        }
        ptr = realloc(ptr, len, len = offset + arg.length * 3, 1) >>> 0;
        const view = getUint8ArrayMemory0().subarray(ptr + offset, ptr + len);
        const ret = cachedTextEncoder.encodeInto(arg, view);

        offset += ret.written;
        ptr = realloc(ptr, len, offset, 1) >>> 0;
    }

    WASM_VECTOR_LEN = offset;
    return ptr;
}

function takeFromExternrefTable0(idx) {
    const value = wasm.__wbindgen_externrefs.get(idx);
    wasm.__externref_table_dealloc(idx);
    return value;
}

let cachedTextDecoder = new TextDecoder('utf-8', { ignoreBOM: true });
cachedTextDecoder.decode();
const MAX_SAFARI_DECODE_BYTES = 2146435072;
let numBytesDecoded = 0;
function decodeText(bytes) {
    numBytesDecoded += bytes.length;
    if (numBytesDecoded >= MAX_SAFARI_DECODE_BYTES) {
        cachedTextDecoder = new TextDecoder('utf-8', { ignoreBOM: true });
        cachedTextDecoder.decode();
        numBytesDecoded = bytes.length;
    }
    return cachedTextDecoder.decode(bytes);
}

const cachedTextEncoder = new TextEncoder();

if (!('encodeInto' in cachedTextEncoder)) {
    cachedTextEncoder.encodeInto = function (arg, view) {
        const buf = cachedTextEncoder.encode(arg);
        view.set(buf);
        return {
            read: arg.length,
            written: buf.length
        };
    };
}

let WASM_VECTOR_LEN = 0;

let wasmModule, wasmInstance, wasm;
function __wbg_finalize_init(instance, module) {
    wasmInstance = instance;
    wasm = instance.exports;
    wasmModule = module;
    cachedDataViewMemory0 = null;
    cachedFloat32ArrayMemory0 = null;
    cachedFloat64ArrayMemory0 = null;
    cachedUint32ArrayMemory0 = null;
    cachedUint8ArrayMemory0 = null;
    wasm.__wbindgen_start();
    return wasm;
}

async function __wbg_load(module, imports) {
    if (typeof Response === 'function' && module instanceof Response) {
        if (!module.ok) {
            throw new Error(`failed to fetch Wasm: ${module.status} ${module.statusText} fetching '${module.url}'`);
        }

        if (typeof WebAssembly.instantiateStreaming === 'function') {
            try {
                return await WebAssembly.instantiateStreaming(module, imports);
            } catch (e) {
                const validResponse = expectedResponseType(module.type);

                if (validResponse && module.headers.get('Content-Type') !== 'application/wasm') {
                    console.warn("`WebAssembly.instantiateStreaming` failed because your server does not serve Wasm with `application/wasm` MIME type. Falling back to `WebAssembly.instantiate` which is slower. Original error:\n", e);

                } else { throw e; }
            }
        }

        const bytes = await module.arrayBuffer();
        return await WebAssembly.instantiate(bytes, imports);
    } else {
        const instance = await WebAssembly.instantiate(module, imports);

        if (instance instanceof WebAssembly.Instance) {
            return { instance, module };
        } else {
            return instance;
        }
    }

    function expectedResponseType(type) {
        switch (type) {
            case 'basic': case 'cors': case 'default': return true;
        }
        return false;
    }
}

function initSync(module) {
    if (wasm !== undefined) return wasm;


    if (module !== undefined) {
        if (Object.getPrototypeOf(module) === Object.prototype) {
            ({module} = module)
        } else {
            console.warn('using deprecated parameters for `initSync()`; pass a single object instead')
        }
    }

    const imports = __wbg_get_imports();
    if (!(module instanceof WebAssembly.Module)) {
        module = new WebAssembly.Module(module);
    }
    const instance = new WebAssembly.Instance(module, imports);
    return __wbg_finalize_init(instance, module);
}

let __wbg_init_promise;
async function __wbg_init(module_or_path) {
    if (wasm !== undefined) return wasm;
    if (__wbg_init_promise === undefined) {
        __wbg_init_promise = __wbg_init_once(module_or_path);
        __wbg_init_promise.catch(() => { __wbg_init_promise = undefined; });
    }
    return __wbg_init_promise;
}

async function __wbg_init_once(module_or_path) {

    if (module_or_path !== undefined) {
        if (Object.getPrototypeOf(module_or_path) === Object.prototype) {
            ({module_or_path} = module_or_path)
        } else {
            console.warn('using deprecated parameters for the initialization function; pass a single object instead')
        }
    }

    if (module_or_path === undefined) {
        module_or_path = new URL('misread_bg.wasm', import.meta.url);
    }
    const imports = __wbg_get_imports();

    if (typeof module_or_path === 'string' || (typeof Request === 'function' && module_or_path instanceof Request) || (typeof URL === 'function' && module_or_path instanceof URL)) {
        module_or_path = fetch(module_or_path);
    }

    const { instance, module } = await __wbg_load(await module_or_path, imports);

    return __wbg_finalize_init(instance, module);
}

export { initSync, __wbg_init as default };
