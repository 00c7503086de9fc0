export { renderMarkdown, renderTable } from './markdown.ts'
export { renderPage } from './page.ts'
