export { renderMarkdown, renderPage, renderTable } from './stub.ts'
