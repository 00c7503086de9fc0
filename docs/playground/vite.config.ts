import { defineConfig } from 'vite'

/**
 * What browsers are told of the built page: scripts, styles and data come from where it came from, it has none inline, and nothing
 * goes anywhere else. The server of `npm run playground` puts styles and a socket of its own into the page, and does not say so.
 */
const policy = [
  "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' data:", "connect-src 'self'", "base-uri 'none'", "form-action 'none'",
].join('; ')

/** The page reads the packages' sources, and builds into a folder that any static host can serve from any path. */
export default defineConfig({
  root: import.meta.dirname,
  plugins: [{
    name: 'content-security-policy', apply: 'build',
    transformIndexHtml: () => [{ tag: 'meta', attrs: { 'http-equiv': 'Content-Security-Policy', content: policy }, injectTo: 'head-prepend' }],
  }],
  base: './',
  resolve: { conditions: ['@antipode/source', 'module', 'browser', 'development|production'] },
  server: { fs: { allow: ['../..'] } },
  build: { outDir: 'dist', emptyOutDir: true, target: 'es2022', chunkSizeWarningLimit: 1000 },
})
