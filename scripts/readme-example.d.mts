/**
 * The first JavaScript or TypeScript block of a README that imports one of our packages, as a module that Node 20 runs
 * (types stripped, `using` lowered); undefined when there is none.
 */
export declare function firstExample(markdown: string): string | undefined
