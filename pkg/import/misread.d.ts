/* tslint:disable */
/* eslint-disable */

/**
 * A network in ONNX that was read.
 */
export class Import {
    free(): void;
    [Symbol.dispose](): void;
    /**
     * How it may be fed: `[{name, title}]`.
     */
    feedings(): any[];
    /**
     * Reads a file. `asked` is `{name, dataset, image, labels}`: what the network is called; whose images it reads, what their size is
     * (`32x32x3`) and what its labels stand for (a text), each of which may be missing. Throws what is not right, or not run.
     */
    constructor(bytes: Uint8Array | number[], asked: any);
    /**
     * The way to feed it in which it reads most of these images rightly (image after image, in [0, 1], and their labels): `{name, title,
     * right, of}`.
     */
    tried(images: Float32Array | number[], labels: Uint8Array | number[]): any;
    /**
     * The weights file of it, fed as the feeding of that name says.
     */
    weightsFile(feeding: string): Uint8Array;
    /**
     * The data set whose images it reads.
     */
    readonly dataset: string;
    /**
     * What its labels stand for.
     */
    readonly labels: string[];
}

/**
 * Which instruction set this build runs on, e.g. `simd128`.
 */
export function build(): string;

/**
 * Sends panics to the console with their place, once for each instance.
 */
export function start(): void;

export type InitInput = RequestInfo | URL | Response | BufferSource | WebAssembly.Module;

export interface InitOutput {
    readonly memory: WebAssembly.Memory;
    readonly __wbg_import_free: (a: number, b: number) => void;
    readonly build: () => [number, number];
    readonly import_dataset: (a: number) => [number, number];
    readonly import_feedings: (a: number) => any;
    readonly import_labels: (a: number) => [number, number];
    readonly import_new: (a: number, b: number, c: any) => [number, number, number];
    readonly import_tried: (a: number, b: number, c: number, d: number, e: number) => [number, number, number];
    readonly import_weightsFile: (a: number, b: number, c: number) => [number, number, number, number];
    readonly start: () => void;
    readonly __wbindgen_malloc: (a: number, b: number) => number;
    readonly __wbindgen_realloc: (a: number, b: number, c: number, d: number) => number;
    readonly __wbindgen_free: (a: number, b: number, c: number) => void;
    readonly __wbindgen_exn_store: (a: number) => void;
    readonly __externref_table_alloc: () => number;
    readonly __wbindgen_externrefs: WebAssembly.Table;
    readonly __externref_drop_slice: (a: number, b: number) => void;
    readonly __externref_table_dealloc: (a: number) => void;
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
