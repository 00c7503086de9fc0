/**
 * The first JavaScript or TypeScript block of a README that imports one of our packages, as a module that Node 20 runs
 * (types stripped, `using` lowered); undefined when there is none.
 */
export declare function firstExample(markdown: string): string | undefined

/** The TypeScript blocks of a page, each with the path that its first line names, if it names one. */
export declare function tsBlocks(markdown: string): { readonly code: string; readonly path: string | undefined }[]
