// A module of the registry's own, so that bundlers keep the list of all solvers apart from the solvers.
export * from '../solvers/index.ts'
