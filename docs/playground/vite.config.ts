import { defineConfig } from 'vite'

/** The page reads the packages' sources, and builds into a folder that any static host can serve from any path. */
export default defineConfig({
  root: import.meta.dirname,
  base: './',
  resolve: { conditions: ['@antipode/source', 'module', 'browser', 'development|production'] },
  server: { fs: { allow: ['../..'] } },
  build: { outDir: 'dist', emptyOutDir: true, target: 'es2022', chunkSizeWarningLimit: 1000 },
})
