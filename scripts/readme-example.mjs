import ts from 'typescript'

/** TypeScript as JavaScript that Node 20 runs: types stripped, `using` lowered. */
export function stripTypes(code) {
  const compilerOptions = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext, verbatimModuleSyntax: true }
  return ts.transpileModule(code, { compilerOptions }).outputText
}

/** The TypeScript blocks of a page, each with the path that its first line names, if it names one. */
export function tsBlocks(markdown) {
  return [...markdown.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code]) => ({ code, path: /^\/\/ (\S+\.ts)\n/.exec(code)?.[1] }))
}

/**
 * The first JavaScript or TypeScript block of a README that imports one of our packages, as a module that Node 20 runs
 * (types stripped, `using` lowered); undefined when there is none.
 */
export function firstExample(markdown) {
  const blocks = markdown.matchAll(/^```(?:js|ts|javascript|typescript)\n(.*?)^```$/gms)
  for (const [, code] of blocks) {
    if (/from '@antipode\//.test(code)) return stripTypes(code)
  }
  return undefined
}
