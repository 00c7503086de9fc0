import { existsSync } from 'node:fs'

// Sizes are of built packages, minified and compressed. Each solver alone must stay small: its own code and what it shares, the
// checks of options, levels and states with their messages among that.
const schedulers = 'packages/schedulers/dist'
const solvers = existsSync(`${schedulers}/solvers/index.js`) ? await import(`./${schedulers}/solvers/index.js`) : {}

export default [
  { name: '@antipode/kernels-wgsl', path: 'packages/kernels-wgsl/dist/index.js', limit: '60 kB' },
  { name: '@antipode/core', path: 'packages/core/dist/index.js', limit: '100 kB', ignore: ['#gpu', 'webgpu'] },
  { name: '@antipode/schedulers', path: `${schedulers}/index.js`, limit: '30 kB' },
  ...Object.keys(solvers).map((solver) => ({
    name: `@antipode/schedulers: ${solver} alone`,
    path: `${schedulers}/index.js`,
    import: `{ ${solver} }`,
    limit: '7.5 kB',
  })),
]
