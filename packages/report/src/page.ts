import { html, type Markup, trusted } from './html.ts'
import { PAGE_POLICY } from './page-policy.ts'
import { STYLE } from './style.ts'

/** What a page of its own is made of. */
export interface Page {
  readonly title: string
  /** The program that made it, and its version. */
  readonly generator?: string
  /** Styles beside those of all pages. */
  readonly style?: string
  readonly main: Markup
}

/** One page with no script and nothing to fetch, as text. */
export function page({ title, generator, style = '', main }: Page): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        ${PAGE_POLICY}
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        ${generator === undefined ? '' : html`<meta name="generator" content="${generator}" />`}
        <title>${title}</title>
        <style>
          ${trusted(STYLE + style)}
        </style>
      </head>
      <body>
        <main>${main}</main>
      </body>
    </html> `.markup
}
