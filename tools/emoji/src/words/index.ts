export { withArticle, withoutArticle } from './articles.ts'
export { nounOf, plain, wordCount } from './plain.ts'
