import type { Results } from '../results.ts'
export const renderTable = (r: Results): string => JSON.stringify(r.comparisons, null, 1)
export const renderMarkdown = renderTable
export const renderPage = renderTable
