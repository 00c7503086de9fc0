import { html, type Markup } from './html.ts'

/**
 * What browsers are told of a page that stands by itself: it runs no script, fetches nothing, sends nothing. Its styles are its
 * own and many stand on elements, where a hash cannot name them; without a connection they can give nothing away.
 */
export const PAGE_POLICY: Markup = html`<meta http-equiv="Content-Security-Policy" content="${
  ["default-src 'none'", "style-src 'unsafe-inline'", 'img-src data:', "base-uri 'none'", "form-action 'none'"].join('; ')}" />`
