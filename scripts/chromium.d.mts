/**
 * Path of the Chromium that runs the browser tests, or undefined when none is installed.
 * @throws {RangeError} if ANTIPODE_CHROMIUM names a file that is not there
 */
export declare function chromiumPath(): string | undefined
/** Arguments under which headless Chromium offers WebGPU on a machine without a GPU. */
export declare const chromiumArgs: string[]
