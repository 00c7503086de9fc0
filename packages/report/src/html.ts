/** A piece of finished markup. Only `html` and `trusted` make one, so that text from data is always escaped. */
export interface Markup {
  readonly markup: string
}

type Part = Markup | string | number | readonly Part[]

/** Template tag: literal text is markup, whatever is interpolated is escaped unless it is markup itself. */
export function html(literals: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  return { markup: literals.reduce((text, literal, i) => text + render(parts[i - 1]!) + literal) }
}

/** Declares text made by this program (a style sheet, an SVG of the chart library) to be markup. */
export function trusted(markup: string): Markup {
  return { markup }
}

function render(part: Part): string {
  if (typeof part === 'number') return String(part)
  if (typeof part === 'string') return escapeText(part)
  if ('markup' in part) return part.markup
  return part.map(render).join('')
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function escapeText(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character]!)
}
