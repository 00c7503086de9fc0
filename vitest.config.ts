import { existsSync } from 'node:fs'
import { playwright } from '@vitest/browser-playwright'
import { defineConfig } from 'vitest/config'
import { chromiumArgs, chromiumPath } from './scripts/chromium.mjs'
import { SlowestFiles } from './scripts/slowest-files.mjs'

// Tests read the packages' sources: this condition of their `exports` points at src/, so no build comes first.
const source = '@antipode/source'
const node = { resolve: { conditions: [source, 'module', 'node', 'development'] } }
const conditions = { ...node, ssr: node }

const root = import.meta.dirname
const dawnSetup = `${root}/packages/kernels-wgsl/test/dawn.setup.ts`
const browserSetup = `${root}/packages/kernels-wgsl/test/browser.setup.ts`
const present = (path: string): string[] => (existsSync(path) ? [path] : [])

const kernelTests = 'packages/kernels-wgsl/src/**/*.test.ts'
const dawnTests = '{packages/*/src,docs}/**/*.dawn.test.ts'
const browserTests = 'packages/*/src/**/*.browser.test.ts'
const pageTests = 'docs/**/*.page.test.ts'

const minutes = (n: number): number => n * 60_000

export default defineConfig({
  test: {
    reporters: ['default', new SlowestFiles()],
    projects: [
      {
        ...conditions,
        test: {
          name: 'pure',
          environment: 'node',
          include: ['{packages/*/{src,test},docs,benchmarks,tools/emoji}/**/*.test.ts', 'scripts/**/*.test.{mjs,ts}'],
          exclude: ['**/{node_modules,dist}/**', dawnTests, browserTests, pageTests],
          testTimeout: minutes(1),
          hookTimeout: minutes(1),
          // No test leaves anything behind in a module; loading them all for each of a hundred files took half of the time.
          pool: 'forks',
          isolate: false,
          sequence: { groupOrder: 0 },
        },
      },
      {
        ...conditions,
        test: {
          name: 'dawn',
          environment: 'node',
          include: [kernelTests, dawnTests],
          exclude: ['**/{node_modules,dist}/**', browserTests],
          setupFiles: present(dawnSetup),
          // One software adapter on few cores: two files at once would only slow each other down.
          pool: 'forks',
          isolate: false,
          maxWorkers: 1,
          fileParallelism: false,
          // llvmpipe compiles for longer than it computes here: without LLVM's optimisations for two thirds of the time.
          env: { GALLIVM_PERF: 'nopt' },
          testTimeout: minutes(5),
          hookTimeout: minutes(2),
          sequence: { groupOrder: 1 },
        },
      },
      {
        resolve: { conditions: [source, 'module', 'browser', 'development'] },
        // Found only while tests run, a library makes Vite bundle anew and reload the page under them.
        optimizeDeps: { include: ['fast-check'] },
        test: {
          name: 'browser',
          include: [kernelTests, browserTests],
          exclude: ['**/{node_modules,dist}/**', dawnTests],
          setupFiles: present(browserSetup),
          fileParallelism: false,
          testTimeout: minutes(5),
          hookTimeout: minutes(2),
          sequence: { groupOrder: 2 },
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            provider: playwright({
              launchOptions: {
                executablePath: chromiumPath() ?? '/usr/bin/chromium',
                args: chromiumArgs,
              },
            }),
            instances: [{ browser: 'chromium' }],
          },
        },
      },
      {
        ...conditions,
        test: {
          // Whole pages, built and opened as a reader would.
          name: 'page',
          environment: 'node',
          include: [pageTests],
          fileParallelism: false,
          testTimeout: minutes(5),
          hookTimeout: minutes(2),
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
})
